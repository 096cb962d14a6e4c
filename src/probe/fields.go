package probe

import (
	"path"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/secl"
)

// Context is what a rule is evaluated on: one event and the process that did it.
type Context struct {
	Event    *event.Event
	Process  *Process
	Target   *Process // setrlimit: whose limit it is; ptrace: who is traced; nil when not known
	Hostname string

	variables *variables
	packages  packageLookup
}

type (
	fileGetter    = secl.Getter[Context, event.File]
	processGetter = secl.Getter[Context, Process]
	eventGetter   = secl.Getter[Context, event.Event]
)

const (
	notTraced = "a ptrace tracer can't see it"
	onDemand  = "hashes are taken by the action hash, after the rules have been asked"
)

func fileInt(name string, get func(*event.File) int64) fileGetter {
	return secl.Int(name, func(_ *Context, f *event.File) int64 { return get(f) })
}

func fileString(name string, get func(*event.File) string) fileGetter {
	return secl.String(name, func(_ *Context, f *event.File) string { return get(f) })
}

// fileFields are those of every file.
var fileFields = []fileGetter{
	secl.Path("path", func(_ *Context, f *event.File) string { return pathOf(f) }),
	fileString("name", nameOf).WithLength(),
	fileString("extension", func(f *event.File) string { return path.Ext(f.Path) }),
	fileInt("uid", func(f *event.File) int64 { return int64(f.UID) }),
	fileInt("gid", func(f *event.File) int64 { return int64(f.GID) }),
	fileString("user", func(f *event.File) string { return f.User }),
	fileString("group", func(f *event.File) string { return f.Group }),
	fileInt("mode", func(f *event.File) int64 { return int64(uint16(f.Mode)) }),
	fileInt("rights", func(f *event.File) int64 { return int64(f.Mode & 0o7777) }),
	fileInt("inode", func(f *event.File) int64 { return int64(f.Inode) }),
	fileInt("change_time", func(f *event.File) int64 { return int64(f.CTime) }),
	fileInt("modification_time", func(f *event.File) int64 { return int64(f.MTime) }),
	secl.Missing[Context, event.File]("hashes", secl.TypeString, true, onDemand),
	missingFile("filesystem", secl.TypeString), missingFile("mount_id", secl.TypeInt),
	missingFile("in_upper_layer", secl.TypeBool), missingFile("mount_visible", secl.TypeBool),
	missingFile("mount_detached", secl.TypeBool),
	packageString("name", func(p *host.Package) string { return p.Name }),
	packageString("version", func(p *host.Package) string { return p.Version }),
	packageString("release", func(p *host.Package) string { return p.Release }),
	packageInt("epoch", func(p *host.Package) int64 { return p.Epoch }),
	packageString("source_version", func(p *host.Package) string { return p.SourceVersion }),
	packageString("source_release", func(p *host.Package) string { return p.SourceRelease }),
	packageInt("source_epoch", func(p *host.Package) int64 { return p.SourceEpoch }),
}

func missingFile(name string, typ secl.Type) fileGetter {
	return secl.Missing[Context, event.File](name, typ, false, notTraced)
}

func missingProcess(name string, typ secl.Type) processGetter {
	return secl.Missing[Context, Process](name, typ, false, notTraced)
}

func processInt(name string, get func(*Process) int64) processGetter {
	return secl.Int(name, func(_ *Context, p *Process) int64 { return get(p) })
}

func processString(name string, get func(*Process) string) processGetter {
	return secl.String(name, func(_ *Context, p *Process) string { return get(p) })
}

func processStrings(name string, get func(*Process) []string) processGetter {
	return secl.Strings(name, func(_ *Context, p *Process) []string { return get(p) })
}

func processBool(name string, get func(*Process) bool) processGetter {
	return secl.Bool(name, func(_ *Context, p *Process) bool { return get(p) })
}

// processFields are those of every process.
var processFields = join(
	[]processGetter{
		processInt("pid", func(p *Process) int64 { return int64(p.PID) }),
		processInt("ppid", func(p *Process) int64 { return int64(p.PPID) }),
		processInt("uid", func(p *Process) int64 { return int64(p.Owner.UID) }),
		processInt("gid", func(p *Process) int64 { return int64(p.Owner.GID) }),
		processInt("euid", func(p *Process) int64 { return int64(p.Owner.EUID) }),
		processInt("egid", func(p *Process) int64 { return int64(p.Owner.EGID) }),
		processInt("fsuid", func(p *Process) int64 { return int64(p.Owner.FSUID) }),
		processInt("fsgid", func(p *Process) int64 { return int64(p.Owner.FSGID) }),
		processString("user", func(p *Process) string { return p.Owner.User }),
		processString("group", func(p *Process) string { return p.Owner.Group }),
		processString("euser", func(p *Process) string { return p.Owner.EUser }),
		processString("egroup", func(p *Process) string { return p.Owner.EGroup }),
		processString("fsuser", func(p *Process) string { return p.Owner.FSUser }),
		processString("fsgroup", func(p *Process) string { return p.Owner.FSGroup }),
		processString("comm", func(p *Process) string { return p.Program.Comm }),
		processString("tty_name", func(p *Process) string { return p.Program.TTY }),
		processString("argv0", argv0),
		processString("args", func(p *Process) string { return p.Program.Text }),
		processStrings("argv", arguments),
		processStrings("args_flags", func(p *Process) []string { return p.Program.Flags }),
		processStrings("args_options", func(p *Process) []string { return p.Program.Options }),
		processBool("args_truncated", func(p *Process) bool { return p.Program.ArgsTruncated }),
		processStrings("envs", func(p *Process) []string { return p.Program.Envs }),
		processStrings("envp", func(p *Process) []string { return p.Program.Envp }),
		processBool("envs_truncated", func(p *Process) bool { return p.Program.EnvsTruncated }),
		processInt("created_at", func(p *Process) int64 { return int64(p.Created()) }),
		processInt("cap_effective", func(p *Process) int64 { return int64(p.Caps.Effective) }),
		processInt("cap_permitted", func(p *Process) int64 { return int64(p.Caps.Permitted) }),
		processBool("is_thread", func(p *Process) bool { return !p.Executed }),
		processBool("is_exec", func(p *Process) bool { return p.Executed }),
		processString("container.id", func(p *Process) string { return p.ContainerID }),
		processInt("container.created_at", func(p *Process) int64 { return int64(p.ContainerCreated) }),
		secl.Missing[Context, Process]("container.tags", secl.TypeString, true, notTraced),
		processString("cgroup.id", func(p *Process) string { return p.CGroupID }),
		missingProcess("cgroup.created_at", secl.TypeInt), missingProcess("cgroup.version", secl.TypeInt),
		missingProcess("cgroup.file.inode", secl.TypeInt), missingProcess("cgroup.file.mount_id", secl.TypeInt),
		missingProcess("tid", secl.TypeInt), missingProcess("sid", secl.TypeInt), missingProcess("mntns", secl.TypeInt),
		missingProcess("netns", secl.TypeInt), missingProcess("auid", secl.TypeInt),
		missingProcess("caps_attempted", secl.TypeInt), missingProcess("caps_used", secl.TypeInt),
		missingProcess("is_kworker", secl.TypeBool),
	},
	withApplets(secl.Sub("file.", func(_ *Context, p *Process) *event.File { return &p.Program.File }, fileFields)),
	secl.Unfilled(notTraced, secl.Sub("interpreter.file.", func(_ *Context, p *Process) *event.File { return nil }, fileFields)),
	userSession,
)

// withApplets has rules about a program's file hit what BusyBox does in its place.
func withApplets(getters []processGetter) []processGetter {
	for i, g := range getters {
		switch g.Name() {
		case "file.path":
			getters[i] = g.WithAliases(func(_ *Context, p *Process) []string { return p.Program.AppletPaths })
		case "file.name":
			getters[i] = g.WithAliases(func(_ *Context, p *Process) []string { return p.Program.AppletNames })
		}
	}
	return getters
}

var userSession = []processGetter{
	missingProcess("user_session.id", secl.TypeString), missingProcess("user_session.identity", secl.TypeString),
	missingProcess("user_session.session_type", secl.TypeInt), missingProcess("user_session.k8s_username", secl.TypeString),
	missingProcess("user_session.k8s_uid", secl.TypeString),
	secl.Missing[Context, Process]("user_session.k8s_groups", secl.TypeString, true, notTraced),
	missingProcess("user_session.k8s_session_id", secl.TypeInt), missingProcess("user_session.ssh_auth_method", secl.TypeInt),
	missingProcess("user_session.ssh_client_ip", secl.TypeIP), missingProcess("user_session.ssh_client_port", secl.TypeInt),
	missingProcess("user_session.ssh_username", secl.TypeString), missingProcess("user_session.ssh_port", secl.TypeInt), // until 2025
	missingProcess("user_session.ssh_public_key", secl.TypeString), missingProcess("user_session.ssh_session_id", secl.TypeInt),
}

func argv0(p *Process) string {
	if len(p.Program.Args) == 0 {
		return ""
	}
	return p.Program.Args[0]
}

// arguments are argv without the name that the program was called by, which is argv0.
func arguments(p *Process) []string { return p.Program.Args[min(len(p.Program.Args), 1):] }

func join[T any](lists ...[]T) []T {
	var all []T
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// NewModel is the table of everything that rules may name.
func NewModel() *secl.Model[Context] {
	m := secl.NewModel[Context]()
	m.Lookup = func(c *Context, spec *secl.VariableSpec) *secl.Value {
		if c.variables == nil { // asked without an engine
			return nil
		}
		return c.variables.lookup(c, spec)
	}
	process := func(c *Context) *Process { return c.Process }
	secl.Under(m, "process.", "", process, processFields)
	secl.Under(m, "process.parent.", "", func(c *Context) *Process { return c.Process.Parent }, processFields)
	secl.Along(m, "process.ancestors", "", func(c *Context) *Process { return c.Process.Parent },
		func(_ *Context, p *Process) *Process { return p.Parent }, processFields)
	secl.Under(m, "exec.", "exec", process, processFields)
	secl.Under(m, "exit.", "exit", process, processFields)
	target := func(c *Context) *Process { return c.Target }
	secl.Under(m, "setrlimit.target.", "setrlimit", target, processFields)
	secl.Under(m, "setrlimit.target.parent.", "setrlimit", func(c *Context) *Process {
		if c.Target == nil {
			return nil
		}
		return c.Target.Parent
	}, processFields)
	secl.Along(m, "setrlimit.target.ancestors", "setrlimit", func(c *Context) *Process {
		if c.Target == nil {
			return nil
		}
		return c.Target.Parent
	}, func(_ *Context, p *Process) *Process { return p.Parent }, processFields)
	// The number of the traced process is that of the call, also when the process is not known.
	secl.Under(m, "ptrace.tracee.", "ptrace", target, slices.DeleteFunc(slices.Clone(processFields), func(g processGetter) bool { return g.Name() == "pid" }))
	commonFields(m)
	for name, getters := range eventFields {
		secl.Under(m, name+".", name, func(c *Context) *event.Event { return c.Event }, getters)
	}
	return m
}

func commonFields(m *secl.Model[Context]) {
	self := func(c *Context) *Context { return c }
	secl.Under(m, "event.", "", self, []secl.Getter[Context, Context]{
		secl.Int("timestamp", func(c, _ *Context) int64 { return int64(c.Event.Time) }),
		secl.String("origin", func(_, _ *Context) string { return "ebpfless" }),
		secl.String("hostname", func(c, _ *Context) string { return c.Hostname }),
		secl.String("os", func(_, _ *Context) string { return "linux" }),
		secl.String("source", func(_, _ *Context) string { return "runtime" }),
		secl.Bool("async", func(_, _ *Context) bool { return false }),
		secl.String("service", func(c, _ *Context) string { return service(c.Process) }),
		secl.Missing[Context, Context]("rule.tags", secl.TypeString, true, "tags are known when a rule has hit"),
		secl.Missing[Context, Context]("signature", secl.TypeString, false, notTraced),
	})
	placeOf := func(c *Context) *Process { return c.Process }
	secl.Under(m, "container.", "", placeOf, []processGetter{
		processString("id", func(p *Process) string { return p.ContainerID }),
		processInt("created_at", func(p *Process) int64 { return int64(p.ContainerCreated) }),
		secl.Missing[Context, Process]("tags", secl.TypeString, true, notTraced), missingProcess("runtime", secl.TypeString),
	})
	secl.Under(m, "cgroup.", "", placeOf, []processGetter{
		processString("id", func(p *Process) string { return p.CGroupID }), missingProcess("version", secl.TypeInt),
		missingProcess("file.inode", secl.TypeInt), missingProcess("file.mount_id", secl.TypeInt), missingProcess("manager", secl.TypeString),
	})
}

// service is DD_SERVICE of the process's environment, where it is reported.
func service(p *Process) string {
	for _, entry := range p.Program.Envp {
		if value, ok := strings.CutPrefix(entry, "DD_SERVICE="); ok {
			return value
		}
	}
	return ""
}
