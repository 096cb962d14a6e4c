#!/bin/bash
# shellcheck disable=SC2317,SC2154 # functions are called by check; run sets top and here
# Read by run: what lies in the packages, how they sort, and what lintian and rpmlint say.

# unpack FILE DIR
unpack() {
	rm -rf "$2"
	mkdir -p "$2"
	case $1 in
	*.deb) dpkg-deb -x "$1" "$2" ;;
	*.rpm) rpm2cpio "$1" | (cd "$2" && cpio -idm --quiet --no-absolute-filenames) ;;
	esac
}

# same_files AMD64 ARM64: and each program is of its machine, and static.
same_files() {
	local program
	unpack "$1" "$TESTBED/amd64"
	unpack "$2" "$TESTBED/arm64"
	diff <(cd "$TESTBED/amd64" && find . -printf '%p %m %l\n' | sort) <(cd "$TESTBED/arm64" && find . -printf '%p %m %l\n' | sort) || return 1
	program=$(find "$TESTBED/arm64" -type f \( -path '*/embedded/bin/*' -o -path '*/usr/bin/*' \)) && [[ -n $program ]] || return 1
	readelf -h "$program" | grep 'Machine: *AArch64' >/dev/null || return 1
	if readelf -lW "$program" | grep INTERP; then return 1; fi
	readelf -h "${program/arm64/amd64}" | grep 'Machine: *Advanced Micro Devices X86-64' >/dev/null
}

# equipped FILE: each command has its man page, and completions for three shells.
equipped() {
	local root=$TESTBED/equipped command path
	unpack "$1" "$root"
	compgen -G "$root/usr/bin/*" >/dev/null || return 1
	for command in "$root"/usr/bin/*; do
		command=${command##*/}
		for path in "man/man8/$command.8.gz" "bash-completion/completions/$command" "zsh/*/_$command" "fish/vendor_completions.d/$command.fish"; do
			compgen -G "$root/usr/share/$path" >/dev/null || { echo "no /usr/share/$path" && return 1; }
		done
	done
}

# old_tools FILE, signed: as dpkg 1.16 (Debian 7, Ubuntu 14.04) and rpm 4.8 (EL 6) can read it.
old_tools() {
	case $1 in
	*.deb) old_deb "$1" ;;
	*.rpm) old_rpm "$1" ;;
	esac
}

# old_deb FILE: a dpkg that finds an unknown member before the data refuses the package; it knows neither zstd nor later fields.
old_deb() {
	[[ $(ar t "$1" | tr '\n' ' ') == "debian-binary control.tar.gz data.tar.xz _gpgorigin " ]] || { ar t "$1" && return 1; }
	dpkg-deb -f "$1" | sed -n 's/^\([^ :]*\):.*/\1/p' | not grep -vxE 'Package|Version|Architecture|Maintainer|Section|Priority|Installed-Size|Depends|Recommends|Conflicts|Homepage|Description'
	dpkg-deb -f "$1" Depends Recommends Conflicts | not grep -E '[]<[]'
}

# old_rpm FILE: both signatures and the digests of files are such as it knows, the header has neither weak nor rich dependencies nor
# triggers, and asks for no feature of a later rpm (rpmlib).
old_rpm() {
	local tags
	tags=$(rpm -qp --qf '%{RSAHEADER:pgpsig}\n%{SIGPGP:pgpsig}\n%{FILEDIGESTALGO}\n%{PAYLOADFORMAT} %{PAYLOADCOMPRESSOR}\n' "$1")
	echo "$tags"
	[[ $tags =~ ^'RSA/SHA256, '[^$'\n']*$'\nRSA/SHA256, '[^$'\n']*$'\n8\ncpio xz'$ ]] || return 1
	rpm -qp --qf '%{PREINPROG} %{POSTINPROG} %{PREUNPROG} %{POSTUNPROG} %{PRETRANSPROG} %{POSTTRANSPROG}' "$1" | tr ' ' '\n' | not grep -vxE '\(none\)|/bin/sh' || return 1
	rpm -qp --requires "$1" | not grep -vE '^(/[^ ]*|[a-z][a-z-]*)$|^rpmlib\((CompressedFileNames|PayloadFilesHavePrefix|FileDigests|PayloadIsXz)\)' || return 1
	[[ -z $(rpm -qp --recommends --suggests --supplements --enhances --triggers --filetriggers "$1") ]]
}

has_changelog() {
	case $1 in
	*.deb) dpkg-deb --fsys-tarfile "$1" | tar xO --wildcards './usr/share/doc/*/changelog.Debian.gz' | zcat | grep '(1.0.0' >/dev/null ;;
	*.rpm) rpm -qp --changelog "$1" | grep '1\.0\.0' >/dev/null ;; # to its end, or rpm could fail for a broken pipe
	esac
}

# bill_of_materials DIST PROGRAM: every module that it is made of, by its name and version.
bill_of_materials() {
	local module version
	while read -r _ module version _; do
		jq -e --arg m "$module" --arg v "$version" 'any(.components[]; .name == $m and .version == $v)' "$1/$2-amd64.cdx.json" >/dev/null || return 1
	done < <(go version -m "$1/bin/amd64/$2" | awk '$1 == "dep"')
}

# versions: what make calls a build, by the tag of its commit.
versions() {
	local tree=$TESTBED/tree tagged candidate untagged
	# shellcheck disable=SC2016 # make expands it
	version_of() { (cd "$tree" && make -s -f "$top/Makefile" --eval 'show:;@echo $(PACKAGE_VERSION)' show); }
	git init -q "$tree"
	git -C "$tree" -c user.name=t -c user.email=t@localhost commit -q --allow-empty -m one
	untagged=$(version_of)
	git -C "$tree" tag v1.2.3-rc1
	candidate=$(version_of)
	git -C "$tree" tag -d v1.2.3-rc1 >/dev/null
	git -C "$tree" tag v1.2.3
	tagged=$(version_of)
	[[ $tagged == 1.2.3 && $candidate == 1.2.3~rc1 && $untagged == 0.0.0~git* ]] || { echo "$tagged $candidate $untagged"; return 1; }
	sorts "$untagged" 0.0.0 && sorts "$untagged" "$candidate" && sorts "$candidate" "$tagged"
}

# sorts A B: A comes before B for both package managers.
sorts() { dpkg --compare-versions "$1-1" lt "$2-1" && [[ $(rpm --eval "%{lua:print(rpm.vercmp('$1', '$2'))}") == -1 ]]; }

scripts() {
	local script
	for script in "$top"/packaging/scriptlets/* "$top"/packaging/sysvinit/*; do
		dash -n "$script" && busybox ash -n "$script" || return 1
	done
}

# exposure: the figure of the README is what systemd says of the unit.
exposure() {
	local figure
	figure=$(systemd-analyze --offline=yes --no-pager security "$top/packaging/systemd/datadog-agent-sysprobe.service" | awk '/Overall exposure/ { print $(NF - 2) }')
	grep -q "rates its exposure $figure" "$top/README.md" || { echo "it is $figure"; return 1; }
}

# rpm_lint FILE…: rpmlint unpacks by `cpio -id`, but nfpm's names are absolute, and the host is not to get the files.
rpm_lint() {
	mkdir -p "$TESTBED/bin"
	printf '#!/bin/sh\nexec %s --no-absolute-filenames "$@"\n' "$(command -v cpio)" >"$TESTBED/bin/cpio"
	chmod +x "$TESTBED/bin/cpio"
	PATH=$TESTBED/bin:$PATH rpmlint --strict --rpmlintrc "$here/rpmlintrc" "$@"
}

contents() {
	local dist=$TESTBED/one/dist package rpms signed
	for package in "$dist"/*_amd64.deb; do check "${package##*/} and arm64 differ in the machine only" same_files "$package" "${package/amd64/arm64}"; done
	for package in "$dist"/*.x86_64.rpm; do check "${package##*/} and aarch64 differ in the machine only" same_files "$package" "${package/x86_64/aarch64}"; done
	for package in "$dist"/*.deb "$dist"/*.rpm; do
		check "${package##*/} has a changelog" has_changelog "$package"
	done
	mapfile -t signed < <(find "$TESTBED"/repo/{apt,yum} -name '*1.0.0*.deb' -o -name '*1.0.0*.rpm')
	for package in "${signed[@]}"; do check "${package##*/} can be read by old tools" old_tools "$package"; done
	for package in "$dist"/*_amd64.deb "$dist"/*.x86_64.rpm; do check "${package##*/} has man pages and completions" equipped "$package"; done
	for package in cws-instrumentation system-probe cwsctl; do
		check "the bill of materials of $package names every module" bill_of_materials "$dist" "$package"
	done
	check "versions sort" versions
	check "scripts are those of dash and busybox, too" scripts
	check "the unit's exposure is the README's" exposure
	for package in "$dist"/*.deb; do
		[[ $package == *_arm64.deb ]] || check "lintian ${package##*/}" lintian --allow-root --fail-on error,warning --suppress-tags-from-file "$here/lintian.suppressed" "$package"
	done
	# Of the repository, because they are signed there.
	mapfile -t rpms < <(compgen -G "$TESTBED/repo/yum/*-1.0.0-1.x86_64.rpm"; compgen -G "$TESTBED/repo/yum/*-1.0.0-1.noarch.rpm")
	check "rpmlint" rpm_lint "${rpms[@]}"
}
