package wire

import "testing"

func TestLocalhostNeedsNoNameService(t *testing.T) {
	for addr, want := range map[string]string{
		"localhost:5678": "127.0.0.1:5678", "127.0.0.1:1": "127.0.0.1:1", "probe:5678": "probe:5678", "localhost.example:1": "localhost.example:1",
	} {
		if got := Address(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
