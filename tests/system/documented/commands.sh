# shellcheck shell=bash disable=SC2016,SC1003 # backquotes are Markdown's
# What the README and the man pages tell their readers to type. Sourced here and, copied beside docs.sh, in the installer's suite.

ours='^(cws-instrumentation|cwsctl|system-probe|systemctl|semanage|make|docker|man) .'

# commands README PAGE…: the indented lines of the README and the examples of man pages, comments left out; and those within
# sentences.
commands() {
	local readme=$1
	shift
	sed -n 's/^    \([^ #].*\)/\1/p' "$readme" | sed 's/  *# .*//'
	sed -n 's/^\.Dl //p' "$@"
	{
		grep -o '`[^`]*`' "$readme" | tr -d '`\\'
		sed -n 's/^\.Ql \(.*[^ .]\)[ .]*$/\1/p' "$@"
	} | grep -E "$ours" | sort -u
}
