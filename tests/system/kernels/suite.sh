#!/bin/sh
# Runs the tests that need a tracer inside a virtual machine, from what was built beforehand in /suite: suite PATTERN.
# What they say goes to the console at once, so that it is seen where a machine hangs; skips come with their reason.
mkdir -p /tmp && chmod 1777 /tmp
cd /suite/tests || exit 1
{
	../tests.test -prebuilt /suite -test.short -test.v -test.timeout 20m -test.run "$1" 2>&1
	echo "$?" >/tmp/code
} | tee /tmp/suite.log | while IFS= read -r line; do
	case $line in "=== "*) ;; *) printf "%s\n" "$line" ;; esac # grep would hold back what it prints
done
echo "tests: $(grep -c -e '--- PASS' /tmp/suite.log) passed, $(grep -c -e '--- SKIP' /tmp/suite.log) skipped, $(grep -c -e '--- FAIL' /tmp/suite.log) failed"
exit "$(cat /tmp/code)"
