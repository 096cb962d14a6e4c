#!/bin/bash
# Read by make and sign: the key, and how packages are signed with it.

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

need() {
	local program
	for program; do
		command -v "$program" >/dev/null || die "$program is missing (apt-get install aptly binutils createrepo-c debsigs gnupg rpm)"
	done
}

# open_key takes the key of SIGNING_KEY, a file with an OpenPGP secret key (RSA, because old rpm and apt know nothing newer),
# without a passphrase or with an agent that knows it. Without it a key is made for this one time. Sets work, key.
open_key() {
	work=$(mktemp -d)
	trap 'gpgconf --kill all 2>/dev/null; rm -rf "$work"' EXIT
	export GNUPGHOME=$work/gnupg
	mkdir -m 700 "$GNUPGHOME"
	echo 'digest-algo SHA256' >"$GNUPGHOME/gpg.conf"
	if [[ -n ${SIGNING_KEY:-} ]]; then
		gpg --quiet --batch --import "$SIGNING_KEY" || die "SIGNING_KEY: $SIGNING_KEY can't be read as a key"
	else
		echo "${0##*/}: no SIGNING_KEY: signing with a key that is thrown away" >&2
		gpg --quiet --batch --passphrase '' --quick-generate-key 'ebpfless test repository <test@localhost>' rsa3072 sign never
	fi
	key=$(gpg --list-secret-keys --with-colons | awk -F: '$1 == "fpr" { print $10; exit }')
	[[ -n $key ]] || die "SIGNING_KEY: $SIGNING_KEY holds no secret key"
}

# sign_package FILE: in place; a signature that is there is replaced. dpkg asks for none, debsig-verify(1) does.
sign_package() {
	local said
	case $1 in
	*.deb)
		ar d "$1" _gpgorigin
		said=$(debsigs --sign=origin --default-key="$key" "$1" 2>&1) && ar t "$1" | grep -qx _gpgorigin
		;;
	*.rpm) # the second signature is over the payload, too: rpm before 4.14 knows no digest of it
		said=$(rpmsign --define "_gpg_name $key" --define "__gpg $(command -v gpg)" --define "_gpg_path $GNUPGHOME" \
			--define '_gpg_digest_algo sha256' --rpmv3 --addsign "$1" 2>&1)
		;;
	esac || die "could not sign $1: $said"
}

# sign_detached FILE leaves FILE.asc.
sign_detached() { gpg --quiet --batch --yes --local-user "$key" --armor --detach-sign "$1"; }
