package host

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestContainerOfECS(t *testing.T) {
	const id = "cd189a933e5849daa93386466019ab50-2495160603"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v4/me":
			w.Write([]byte(`{"DockerId": "` + id + `", "Name": "app"}`))
		case "/v4/noise":
			w.Write([]byte("<html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	if got, err := containerOfECS(server.URL + "/v4/me"); got != id || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for path, want := range map[string]string{
		server.URL + "/v4/noise": "read the answer", server.URL + "/v4/none": "404", "https://a/b": "no http:// address", "http://%": "ask",
	} {
		if got, err := containerOfECS(path); got != "" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	t.Setenv("DD_CONTAINER_ID", "")
	t.Setenv("ECS_CONTAINER_METADATA_URI_V4", "")
	here, _ := OwnPlace()
	own := here.ContainerID
	t.Setenv("ECS_CONTAINER_METADATA_URI_V4", server.URL+"/v4/me")
	if p, err := OwnPlace(); err != nil || own == "" && p.ContainerID != id || own != "" && p.ContainerID != own {
		t.Errorf("own place is %+v, %v", p, err)
	}
}

func TestSilentECSIsGivenUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if got, err := containerOfECS("http://" + silent.Addr().String() + "/v4/me"); got != "" || err == nil {
		t.Errorf("%q, %v", got, err)
	}
}
