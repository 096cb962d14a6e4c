package host

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Names are those of passwd(5) and group(5), read again at most once a second when they have changed.
type Names struct {
	users, groups table
}

// NewNames reads the files that the environment names for tests, or the system's.
func NewNames() *Names {
	return &Names{users: table{path: file("TEST_DD_PASSWD_PATH", "/etc/passwd")}, groups: table{path: file("TEST_DD_GROUP_PATH", "/etc/group")}}
}

func file(variable, standard string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	return standard
}

// User implements record.Names.
func (n *Names) User(uid uint32) string { return n.users.name(uid) }

// Group implements record.Names.
func (n *Names) Group(gid uint32) string { return n.groups.name(gid) }

type table struct {
	path    string
	looked  time.Time
	changed time.Time
	names   map[uint32]string
}

func (t *table) name(id uint32) string {
	if now := time.Now(); now.Sub(t.looked) > time.Second {
		t.looked = now
		t.refresh()
	}
	return t.names[id]
}

func (t *table) refresh() {
	st, err := os.Stat(t.path)
	if err != nil || st.ModTime().Equal(t.changed) {
		return
	}
	text, err := os.ReadFile(t.path)
	if err != nil {
		return
	}
	t.changed, t.names = st.ModTime(), map[uint32]string{}
	for line := range strings.Lines(string(text)) { // of any length: a group's line grows with its members
		fields := strings.SplitN(strings.TrimSpace(line), ":", 4)
		if len(fields) < 3 {
			continue
		}
		id, err := strconv.ParseUint(fields[2], 10, 32)
		if _, twice := t.names[uint32(id)]; err == nil && !twice {
			t.names[uint32(id)] = fields[0]
		}
	}
}
