package probe

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"golang.org/x/sys/unix"
)

// newDetection writes down a hit. Everything is copied: the process goes on changing.
func newDetection(rule *secl.Rule[Context], c *Context, facts *Facts) *Detection {
	e := c.Event
	d := &Detection{
		Agent: agentOf(rule.Def, facts), Title: title(rule.Def), Date: date(e.Time),
		Evt: evtDoc{
			Name: e.Kind.String(), Category: category(e.Kind), Outcome: outcome(e.Retval),
			MatchedRules: []matchedDoc{matched(rule.Def)}, RuleContext: expression(rule, c),
			Variables: c.shown(secl.ScopeGlobal),
		},
		Process: processTree(c.Process),
	}
	if id := c.Process.ContainerID; id != "" {
		d.Container = &containerDoc{
			ID: id, CreatedAt: date(c.Process.ContainerCreated), Variables: c.shown(secl.ScopeContainer),
		}
	}
	if id := c.Process.CGroupID; id != "" {
		d.CGroup = &groupDoc{ID: id, Variables: c.shown(secl.ScopeCGroup)}
	}
	if o := c.Process.Owner; o.User != "" || o.Group != "" {
		d.User = &userDoc{ID: o.User, Group: o.Group}
	}
	if s := e.Span; s != (event.Span{}) {
		d.DD = &spanDoc{SpanID: strconv.FormatUint(s.ID, 10), TraceID: traceID(s)}
	}
	if write := writers[e.Kind]; write != nil {
		write(d, c)
	}
	c.tellPackages(d)
	return d
}

// tellHeldBack says how many detections of the same rule a rate limit held back before this one. Variables are where the
// layout is open; no rule's variable can have this name.
func (d *Detection) tellHeldBack(n uint64) {
	if n == 0 {
		return
	}
	if d.Evt.Variables == nil {
		d.Evt.Variables = map[string]any{}
	}
	d.Evt.Variables["(held back)"] = n
}

func agentOf(rule *secl.RuleDef, facts *Facts) agentDoc {
	a := agentDoc{
		RuleID: rule.ID, OriginalRuleID: rule.ID, RuleVersion: rule.Version, Version: facts.Version, OS: "linux",
		Arch: facts.Arch, Origin: "ebpfless", KernelVersion: facts.KernelVersion, Distribution: facts.Distribution,
	}
	if rule.OriginalID != "" {
		a.OriginalRuleID = rule.OriginalID
	}
	if rule.Policy != nil {
		a.PolicyName, a.PolicyVersion = rule.Policy.Name, rule.Policy.Version
	}
	return a
}

// title is required: a rule without a description is named by its id.
func title(rule *secl.RuleDef) string {
	if rule.Description != "" {
		return rule.Description
	}
	return rule.ID
}

func matched(rule *secl.RuleDef) matchedDoc {
	m := matchedDoc{ID: rule.ID, Version: rule.Version}
	for name, value := range rule.Tags {
		m.Tags = append(m.Tags, name+":"+value)
	}
	slices.Sort(m.Tags)
	if rule.Policy != nil {
		m.PolicyName, m.PolicyVersion = rule.Policy.Name, rule.Policy.Version
	}
	return m
}

func expression(rule *secl.Rule[Context], c *Context) *expressionDoc {
	doc := &expressionDoc{Expression: rule.Program.Source}
	for _, m := range rule.Program.Explain(c) {
		doc.Matching = append(doc.Matching, matchDoc{Offset: m.Offset, Length: m.Length, Field: m.Field, Value: m.Value})
	}
	return doc
}

// date is RFC 3339 with nanoseconds, empty for no time.
func date(nanoseconds uint64) string {
	if nanoseconds == 0 {
		return ""
	}
	return time.Unix(0, int64(nanoseconds)).UTC().Format(time.RFC3339Nano)
}

func traceID(s event.Span) string {
	if s.TraceHi == 0 {
		return strconv.FormatUint(s.TraceLo, 10)
	}
	return strconv.FormatUint(s.TraceHi, 16) + strings.Repeat("0", 16-len(strconv.FormatUint(s.TraceLo, 16))) + strconv.FormatUint(s.TraceLo, 16)
}

func outcome(retval int64) string {
	switch {
	case retval == -int64(unix.EACCES) || retval == -int64(unix.EPERM):
		return "Refused"
	case retval < 0:
		return "Error"
	}
	return "Success"
}

// category follows the original's table, which counts by origin and not by meaning.
func category(kind event.Kind) string {
	switch kind {
	case event.Exec, event.Fork, event.Exit, event.Setrlimit, event.Signal:
		return "Process Activity"
	case event.UnloadModule, event.Accept, event.Bind, event.Connect, event.Ptrace:
		return "Kernel Activity"
	}
	return "File Activity"
}

func fileOf(f *event.File) *fileDoc {
	return &fileDoc{
		Path: pathOf(f), Name: nameOf(f), Extension: path.Ext(f.Path), Inode: f.Inode, Mode: f.Mode,
		UID: int64(f.UID), GID: int64(f.GID), User: f.User, Group: f.Group,
		ModificationTime: date(f.MTime), ChangeTime: date(f.CTime),
	}
}

// processTree is a process with its parent and all its ancestors.
func processTree(p *Process) *processDoc {
	doc := processOf(p)
	for a := p.Parent; a != nil; a = a.Parent {
		if len(doc.Ancestors) == maxDepth {
			doc.Truncated = true
			break
		}
		ancestor := processOf(a)
		if len(doc.Ancestors) == 0 {
			doc.Parent = processOf(a)
		}
		doc.Ancestors = append(doc.Ancestors, ancestor)
	}
	return doc
}

func processOf(p *Process) *processDoc {
	g, o := p.Program, &p.Owner
	doc := &processDoc{
		PID: p.PID, PPID: p.PPID, TID: p.PID, UID: int64(o.UID), GID: int64(o.GID), User: o.User, Group: o.Group,
		Comm: g.Comm, TTY: g.TTY, ForkTime: date(p.ForkTime), ExecTime: date(p.ExecTime), ExitTime: date(p.ExitTime),
		Credentials: credentialsOf(p), Executable: fileOf(&g.File), Argv0: argv0(p),
		ArgsTruncated: g.ArgsTruncated, Envs: g.Envs, EnvsTruncated: g.EnvsTruncated, IsThread: !p.Executed, Variables: visible(p.Variables),
	}
	if len(g.Args) > 1 {
		doc.Args = scrub(g.Args[1:])
	}
	if p.ContainerID != "" {
		doc.Container = &containerDoc{ID: p.ContainerID, CreatedAt: date(p.ContainerCreated)}
	}
	if p.CGroupID != "" {
		doc.CGroup = &groupDoc{ID: p.CGroupID}
	}
	return doc
}

func credentialsOf(p *Process) *credentialsDoc {
	o := &p.Owner
	return &credentialsDoc{
		UID: int64(o.UID), User: o.User, GID: int64(o.GID), Group: o.Group,
		EUID: int64(o.EUID), EUser: o.EUser, EGID: int64(o.EGID), EGroup: o.EGroup,
		FSUID: int64(o.FSUID), FSUser: o.FSUser, FSGID: int64(o.FSGID), FSGroup: o.FSGroup,
		CapEffective: capabilityNames(p.Caps.Effective), CapPermitted: capabilityNames(p.Caps.Permitted),
	}
}
