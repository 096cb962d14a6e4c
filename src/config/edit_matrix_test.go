package config

import "testing"

// Files as they are found on hosts, before and after; what can't be edited safely has no after.
func TestSetOnFilesAsTheyAreFound(t *testing.T) {
	const key = "runtime_security_config:\n  ebpfless:\n    enabled: true\n"
	for _, c := range []struct{ name, before, after string }{
		{"flow over lines", "runtime_security_config: {\n  ebpfless: {\n    enabled: false\n  }\n}\n", "runtime_security_config: {\n  ebpfless: {\n    enabled: true\n  }\n}\n"},
		{"flow with spaces", "runtime_security_config: { ebpfless: { enabled: false } }\n", "runtime_security_config: { ebpfless: { enabled: true } }\n"},
		{"flow over lines, insert", "runtime_security_config: {\n  enabled: true,\n}\n", "runtime_security_config: {ebpfless: {enabled: true}, \n  enabled: true,\n}\n"},
		{"BOM", "\ufefflog_level: debug\n", "\ufefflog_level: debug\n" + key},
		{"BOM only", "\ufeff", "\ufeff" + key},
		{"BOM before the key", "\ufeffruntime_security_config:\n  ebpfless:\n    enabled: false\n", "\ufeff" + key},
		{"the start of a document", "---\nlog_level: debug\n", "---\nlog_level: debug\n" + key},
		{"the end of a document", "---\nlog_level: debug\n...\n", ""},
		{"null", "null\n", ""},
		{"blanks", "   \n\n", "   \n\n" + key},
		{"nothing but the start of a document", "---\n", "---\n" + key},
		{"indented root", "  log_level: debug\n", "  log_level: debug\n  runtime_security_config:\n    ebpfless:\n      enabled: true\n"},
		{"tilde above", "runtime_security_config: ~\n", ""},
		{"tilde", "runtime_security_config:\n  ebpfless:\n    enabled: ~\n", key},
		{"list value", "runtime_security_config:\n  env_as_tags:\n  - A\n  - B\n  ebpfless:\n    enabled: false\n", "runtime_security_config:\n  env_as_tags:\n  - A\n  - B\n  ebpfless:\n    enabled: true\n"},
		{"yes, which is no boolean here", "runtime_security_config:\n  ebpfless:\n    enabled: yes\n", ""},
		{"quoted key", "\"runtime_security_config\":\n  'ebpfless':\n    \"enabled\": false\n", "\"runtime_security_config\":\n  'ebpfless':\n    \"enabled\": true\n"},
		{"key with non-ascii before in flow", "runtime_security_config: {x: 'ü', ebpfless: {enabled: false}}\n", "runtime_security_config: {x: 'ü', ebpfless: {enabled: true}}\n"},
		{"two docs", "a: 1\n---\nb: 1\n", ""},
		{"comment after key", "runtime_security_config: # ours\n  ebpfless: # this\n    # and\n    enabled: false\n", "runtime_security_config: # ours\n  ebpfless: # this\n    # and\n    enabled: true\n"},
		{"merge", "x: &x {enabled: false}\nruntime_security_config:\n  ebpfless:\n    <<: *x\n", "x: &x {enabled: false}\nruntime_security_config:\n  ebpfless:\n    enabled: true\n    <<: *x\n"},
		{"merge of what is above", "x: &x {ebpfless: {socket: \"a:1\"}}\nruntime_security_config:\n  <<: *x\n", ""},
		{"CRLF, no newline at the end", "log_level: debug\r\nenv: x", "log_level: debug\r\nenv: x\r\nruntime_security_config:\r\n  ebpfless:\r\n    enabled: true\r\n"},
		{"mixed", "log_level: debug\nenv: x\r\n", "log_level: debug\nenv: x\r\n" + key},
		{"twice, below", "runtime_security_config:\n  enabled: true\n  enabled: false\n", ""},
		{"twice, in what is not known here", "runtime_security_config:\n  ebpfless:\n    enabled: false\n  foo:\n    a: 1\n    a: 2\n", ""},
		{"a comment that looks like it", "runtime_security_config:\n  # ebpfless:\n  #   enabled: true\n", "runtime_security_config:\n  ebpfless:\n    enabled: true\n  # ebpfless:\n  #   enabled: true\n"},
		{"scalar root", "hello\n", ""},
		{"empty flow root", "{}\n", "{runtime_security_config: {ebpfless: {enabled: true}}}\n"},
		{"comment at the end without newline", "log_level: debug\n# end", "log_level: debug\n# end\n" + key},
		{"block scalar at the end", "env: |\n  text\n", "env: |\n  text\n" + key},
		{"block scalar keep", "env: |+\n  text\n\n\n", "env: |+\n  text\n\n\n" + key},
		{"plain multi-line at end, no newline", "env: a\n  b", "env: a\n  b\n" + key},
		{"value on next line", "runtime_security_config:\n  ebpfless:\n    enabled:\n      false\n", "runtime_security_config:\n  ebpfless:\n    enabled:\n      true\n"},
		{"a tag", "runtime_security_config:\n  ebpfless:\n    enabled: !!bool false\n", ""},
		{"question mark", "? runtime_security_config\n: ebpfless:\n    enabled: false\n", "? runtime_security_config\n: ebpfless:\n    enabled: true\n"},
		{"BOM and the value on the same line", "\ufeffruntime_security_config: {ebpfless: {enabled: false}}\n", "\ufeffruntime_security_config: {ebpfless: {enabled: true}}\n"},
		{"line ends of an old Mac", "log_level: debug\renv: x\r", ""},
		{"NUL", "a: \x00\n", ""},
		{"Latin-1", "a: \xfc\n", ""},
	} {
		got, err := Set("test.yaml", []byte(c.before), enabled, "true")
		if string(got) != c.after || (err == nil) != (c.after != "") {
			t.Errorf("%s: got %v\n%q\nwant\n%q", c.name, err, got, c.after)
		}
	}
}
