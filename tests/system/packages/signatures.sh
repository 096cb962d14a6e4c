#!/bin/bash
# shellcheck disable=SC2317,SC2154 # functions are called by check; run sets top and here
# Read by run: who has signed packages and repositories, and that nothing else passes.

# debsig DIR FILE: debsig-verify(1) with the key in DIR alone.
debsig() {
	local id trust=$TESTBED/debsig
	rm -rf "$trust"
	id=$(gpg --show-keys --with-colons "$1/ebpfless.asc" | awk -F: '$1 == "pub" { print $5; exit }')
	mkdir -p "$trust/policies/$id" "$trust/keyrings/$id"
	cp "$1/ebpfless.gpg" "$trust/keyrings/$id/key.gpg"
	cat >"$trust/policies/$id/ebpfless.pol" <<EOF
<?xml version="1.0"?>
<!DOCTYPE Policy SYSTEM "https://www.debian.org/debsig/1.0/policy.dtd">
<Policy xmlns="https://www.debian.org/debsig/1.0/">
  <Origin Name="ebpfless" id="$id" Description="ebpfless"/>
  <Selection><Required Type="origin" File="key.gpg" id="$id"/></Selection>
  <Verification MinOptional="0"><Required Type="origin" File="key.gpg" id="$id"/></Verification>
</Policy>
EOF
	debsig-verify --policies-dir "$trust/policies" --keyrings-dir "$trust/keyrings" "$2"
}

# rpmsig DIR FILE: rpm with the key in DIR alone.
rpmsig() {
	rm -rf "$TESTBED/rpmdb"
	rpmkeys --dbpath "$TESTBED/rpmdb" --import "$1/ebpfless.asc"
	rpmkeys --dbpath "$TESTBED/rpmdb" --define '_pkgverify_level all' --checksig "$2"
}

# by_hash: each index that Release names lies below its hash, too.
by_hash() {
	local release=$1/dists/stable sum name
	grep -q '^Acquire-By-Hash: yes' "$release/Release" || return 1
	while read -r sum _ name; do
		[[ ! -e $release/$name || $name == */Release ]] || cmp "$release/$name" "$(dirname "$release/$name")/by-hash/SHA256/$sum" || return 1
	done < <(sed '1,/^SHA256:/d; /^[^ ]/,$d' "$release/Release")
}

versions_of_both() {
	local arch
	for arch in amd64 arm64; do
		[[ $(grep -c '^Package: cws-probe$' "$1/apt/dists/stable/main/binary-$arch/Packages") == 2 ]] || return 1
	done
	[[ $(zcat "$1"/yum/repodata/*-primary.xml.gz | grep -c '<name>cws-probe</name>') == 4 ]]
}

# old_yum DIR: gzip and SHA256 everywhere, no kind of file that came later, no rich dependency.
old_yum() {
	local index=$1/repodata
	[[ $(grep -o '<data type="[^"]*"' "$index/repomd.xml" | cut -d '"' -f 2 | sort | tr '\n' ' ') == 'filelists other primary ' ]] || return 1
	[[ $(grep -c '<location href="repodata/[0-9a-f]*-[a-z]*\.xml\.gz"/>' "$index/repomd.xml") == 3 ]] || return 1
	! { cat "$index/repomd.xml" && zcat "$index"/*-primary.xml.gz; } | grep '<\(open-\)\?checksum' | grep -v 'type="sha256"' || return 1
	if zcat "$index"/*-primary.xml.gz | grep 'name="('; then return 1; fi
	made_with_sha256 "$index/repomd.xml.asc"
}

# old_apt DIR: apt 0.9 knows gzip, SHA256 and InRelease.
old_apt() {
	local arch
	for arch in amd64 arm64; do
		sed '1,/^SHA256:/d; /^SHA512/,$d' "$1/Release" | grep " main/binary-$arch/Packages\.gz$" || return 1
		zcat "$1/main/binary-$arch/Packages.gz" | awk '/^Package:/ { n++ } /^SHA256:/ { n-- } END { exit n }' || return 1
	done
	made_with_sha256 "$1/Release.gpg" && made_with_sha256 "$1/InRelease"
}

# made_with_sha256 FILE: every signature in it, by an RSA key (RFC 4880, 9.1 and 9.4).
made_with_sha256() {
	sed -n '/BEGIN PGP SIGNATURE/,$p' "$1" | gpg --list-packets 2>/dev/null | grep -E '^:signature|digest algo' | tee /dev/stderr | tr -d '\n' | grep -qxE '(:signature packet: algo 1, [^,]*digest algo 8,[^:]*)+'
}

signatures() {
	local repo=$TESTBED/repo deb rpm
	deb=$(echo "$repo"/apt/pool/main/c/cws-probe/*1.1.0*amd64.deb) rpm=$(echo "$repo"/yum/cws-probe-1.1.0*x86_64.rpm)
	check "a .deb is signed" debsig "$repo" "$deb"
	check "a .deb of another key is refused" not debsig "$TESTBED/elsewhere" "$deb"
	check "a tampered .deb is refused" not debsig "$repo" "${deb/repo/tampered}"
	check "an .rpm is signed" rpmsig "$repo" "$rpm"
	check "an .rpm of another key is refused" not rpmsig "$TESTBED/elsewhere" "$rpm"
	check "a tampered .rpm is refused" not rpmsig "$repo" "${rpm/repo/tampered}"
	check "Release is signed for old apt" gpgv --keyring "$repo/ebpfless.gpg" "$repo/apt/dists/stable/Release.gpg" "$repo/apt/dists/stable/Release"
	check "InRelease is signed" gpgv --keyring "$repo/ebpfless.gpg" "$repo/apt/dists/stable/InRelease"
	check "repomd.xml is signed" gpgv --keyring "$repo/ebpfless.gpg" "$repo/yum/repodata/repomd.xml.asc" "$repo/yum/repodata/repomd.xml"
	check "the archives' checksums are signed" gpgv --keyring "$repo/ebpfless.gpg" "$repo/tar/SHA256SUMS.asc" "$repo/tar/SHA256SUMS"
	check "indices are there by hash" by_hash "$repo/apt"
	check "two releases lie side by side" versions_of_both "$repo"
	check "repodata is what old yum reads" old_yum "$repo/yum"
	check "indices are what old apt reads" old_apt "$repo/apt/dists/stable"
	check "a release can't be replaced" not replaced
	check "a folder of packages is signed" signed_folder
}

# replaced: the same version with another content.
replaced() {
	cp -r "$TESTBED/one/dist" "$TESTBED/changed"
	cp "$TESTBED/two/dist/cws-probe_1.1.0-1_amd64.deb" "$TESTBED/changed/cws-probe_1.0.0-1_amd64.deb"
	SIGNING_KEY=$TESTBED/key "$top/packaging/repo/make" "$TESTBED/changed" "$repo"
}

signed_folder() {
	cp -r "$TESTBED/one/dist" "$TESTBED/signed"
	SIGNING_KEY=$TESTBED/key "$top/packaging/repo/sign" "$TESTBED/signed" && (cd "$TESTBED/signed" && sha256sum --quiet -c SHA256SUMS) &&
		gpgv --keyring "$repo/ebpfless.gpg" "$TESTBED/signed/SHA256SUMS.asc" "$TESTBED/signed/SHA256SUMS" &&
		debsig "$repo" "$TESTBED/signed/cws-probe_1.0.0-1_arm64.deb" && rpmsig "$repo" "$TESTBED/signed/cws-probe-1.0.0-1.aarch64.rpm"
}
