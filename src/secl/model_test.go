package secl

import "net/netip"

// The model of the tests: one event with the processes behind it.
type (
	testFile struct {
		Path, Name string
		UID, Mode  int64
	}
	testProcess struct {
		PID, UID, CreatedAt int64
		Comm                string
		Argv                []string
		File                testFile
		Parent              *testProcess
		Thread              bool
	}
	testEvent struct {
		Process       *testProcess
		Event         string
		File, Dest    testFile
		Flags, Retval int64
		IP            netip.Addr
		IPs           []netip.Prefix
		Port          int64
		Immediates    []int64
		Async         bool
		Now           int64
		Variables     map[*VariableSpec]*Value
	}
)

func fileGetters() []Getter[testEvent, testFile] {
	return []Getter[testEvent, testFile]{
		Path("path", func(_ *testEvent, f *testFile) string { return f.Path }),
		String("name", func(_ *testEvent, f *testFile) string { return f.Name }).WithLength(),
		Int("uid", func(_ *testEvent, f *testFile) int64 { return f.UID }),
		Int("mode", func(_ *testEvent, f *testFile) int64 { return f.Mode }),
		Missing[testEvent, testFile]("package.name", TypeString, false, "no package database is read"),
	}
}

func processGetters() []Getter[testEvent, testProcess] {
	own := []Getter[testEvent, testProcess]{
		Int("pid", func(_ *testEvent, p *testProcess) int64 { return p.PID }),
		Int("uid", func(_ *testEvent, p *testProcess) int64 { return p.UID }),
		Int("created_at", func(_ *testEvent, p *testProcess) int64 { return p.CreatedAt }),
		String("comm", func(_ *testEvent, p *testProcess) string { return p.Comm }),
		Strings("argv", func(_ *testEvent, p *testProcess) []string { return p.Argv }),
		Bool("is_thread", func(_ *testEvent, p *testProcess) bool { return p.Thread }),
	}
	file := func(_ *testEvent, p *testProcess) *testFile { return &p.File }
	own = append(own, Sub("file.", file, fileGetters())...)
	nobody := func(*testEvent, *testProcess) *testFile { return nil }
	return append(own, Unfilled("scripts are not followed", Sub("interpreter.file.", nobody, fileGetters()))...)
}

func newTestModel() *Model[testEvent] {
	m := NewModel[testEvent]()
	m.Now = func(e *testEvent) int64 { return e.Now }
	m.Lookup = func(e *testEvent, v *VariableSpec) *Value { return e.Variables[v] }
	process := func(e *testEvent) *testProcess { return e.Process }
	parent := func(e *testEvent) *testProcess {
		if e.Process == nil {
			return nil
		}
		return e.Process.Parent
	}
	next := func(_ *testEvent, p *testProcess) *testProcess { return p.Parent }
	event := func(e *testEvent) *testEvent { return e }
	Under(m, "process.", "", process, processGetters())
	Under(m, "process.parent.", "", parent, processGetters())
	Along(m, "process.ancestors", "", parent, next, processGetters())
	Under(m, "exec.", "exec", process, processGetters())
	Under(m, "event.", "", event, []Getter[testEvent, testEvent]{
		Bool("async", func(_, e *testEvent) bool { return e.Async }),
	})
	Under(m, "open.file.", "open", func(e *testEvent) *testFile { return &e.File }, fileGetters())
	Under(m, "open.", "open", event, []Getter[testEvent, testEvent]{
		Int("flags", func(_, e *testEvent) int64 { return e.Flags }),
		Int("retval", func(_, e *testEvent) int64 { return e.Retval }),
		Int("file.destination.mode", func(_, e *testEvent) int64 { return e.Dest.Mode }),
	})
	Under(m, "connect.", "connect", event, []Getter[testEvent, testEvent]{
		Addr("addr.ip", func(_, e *testEvent) netip.Addr { return e.IP }),
		Int("addr.port", func(_, e *testEvent) int64 { return e.Port }),
		Addrs("addr.ips", func(_, e *testEvent) []netip.Prefix { return e.IPs }),
	})
	Under(m, "setsockopt.", "setsockopt", event, []Getter[testEvent, testEvent]{
		Ints("used_immediates", func(_, e *testEvent) []int64 { return e.Immediates }),
	})
	return m
}
