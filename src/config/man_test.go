package config

import (
	"os"
	"strings"
	"testing"
)

func TestManPageNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../packaging/man/system-probe.yaml.5")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, word := range strings.Fields(string(page)) {
		words[word] = true
	}
	for _, r := range rows {
		if !words[strings.TrimPrefix(r.key, cws)] {
			t.Errorf("system-probe.yaml(5) does not name %s", r.key)
		}
	}
}
