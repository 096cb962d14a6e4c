package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// fake is an init system that keeps what is enabled and can fail.
type fake struct {
	enabled   map[string]bool
	failing   bool
	inBetween func() // called in the middle of Enable
}

func (*fake) Name() string { return "fake" }
func (*fake) Plan(context.Context, string, Mode) (*Plan, error) {
	return &Plan{}, nil
}

func (f *fake) Enable(_ context.Context, name string, _ Mode) error {
	f.enabled[name] = true
	if f.inBetween != nil {
		f.inBetween()
	}
	if f.failing {
		return errors.New("it fails")
	}
	return nil
}

func (f *fake) Disable(_ context.Context, name string, _ Mode) error {
	delete(f.enabled, name)
	return nil
}

func (*fake) List(context.Context) ([]Entry, error) { return nil, nil }

func changes(t *testing.T, f *fake) *Changes {
	t.Helper()
	f.enabled = map[string]bool{}
	return &Changes{System: f, Folder: filepath.Join(t.TempDir(), "changes"), Say: t.Logf}
}

func notes(t *testing.T, c *Changes) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.Folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func begin(t *testing.T, c *Changes) func() {
	t.Helper()
	end, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return end
}

func TestEnableThatFailsIsTakenBack(t *testing.T) {
	f := &fake{failing: true}
	c := changes(t, f)
	defer begin(t, c)()
	if err := c.Enable(t.Context(), "x", Wrap); err == nil {
		t.Error("no error")
	}
	if len(f.enabled) > 0 || len(notes(t, c)) > 0 {
		t.Errorf("left: %v %v", f.enabled, notes(t, c))
	}
}

// An interruption is a panic here: nothing that comes after it is done.
func TestInterruptedEnableIsTakenBackByTheNext(t *testing.T) {
	f := &fake{inBetween: func() { panic("interrupted") }}
	c := changes(t, f)
	func() {
		end := begin(t, c)
		defer func() { recover(); end() }()
		c.Enable(t.Context(), "x", Wrap)
	}()
	if !f.enabled["x"] || len(notes(t, c)) != 1 {
		t.Fatalf("the interruption left %v %v", f.enabled, notes(t, c))
	}
	begin(t, c)()
	if len(f.enabled) > 0 || len(notes(t, c)) > 0 {
		t.Errorf("left: %v %v", f.enabled, notes(t, c))
	}
}

func TestTwoAtOnce(t *testing.T) {
	c := changes(t, &fake{})
	end := begin(t, c)
	if _, err := c.Begin(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("the second begins: %v", err)
	}
	end()
	begin(t, c)()
}

func TestBrokenJournalSaysWhichFile(t *testing.T) {
	c := changes(t, &fake{})
	begin(t, c)()
	file := filepath.Join(c.Folder, "wrap-x.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Begin(t.Context()); err == nil {
		t.Error("a journal that can't be read is passed over")
	}
}

// TestWriteIsWholeOrNot: a disk that is full leaves the file of before, and nothing beside it.
func TestWriteIsWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := Write(File{Path: path, Text: "old", Mode: 0o640}); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode() != 0o640 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "folder", "kept"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(File{Path: filepath.Join(dir, "folder"), Text: "new", Mode: 0o644}); err == nil {
		t.Error("a folder is replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left: %v %v", entries, err)
	}
}
