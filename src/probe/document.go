package probe

// The structs of a detection's JSON, in the original's layout: backend_linux.schema.json of its documentation. Keys without
// omitempty are required there.

// Detection is one rule's hit, or a notice.
type Detection struct {
	*Notice
	Agent     agentDoc               `json:"agent"`
	Title     string                 `json:"title"`
	Evt       evtDoc                 `json:"evt,omitzero"` // of notices none
	Date      string                 `json:"date"`
	File      *fileDoc               `json:"file,omitempty"`
	Process   *processDoc            `json:"process,omitempty"`
	Exit      *exitDoc               `json:"exit,omitempty"`
	Container *containerDoc          `json:"container,omitempty"`
	CGroup    *groupDoc              `json:"cgroup,omitempty"`
	Accept    *socketDoc             `json:"accept,omitempty"`
	Bind      *socketDoc             `json:"bind,omitempty"`
	Connect   *socketDoc             `json:"connect,omitempty"`
	Mount     *mountDoc              `json:"mount,omitempty"`
	Module    *moduleDoc             `json:"module,omitempty"`
	Sockopt   *sockoptDoc            `json:"setsockopt,omitempty"`
	Prctl     *prctlDoc              `json:"prctl,omitempty"`
	Socket    *newSocketDoc          `json:"socket,omitempty"`
	Ptrace    *ptraceDoc             `json:"ptrace,omitempty"`
	Signal    *signalDoc             `json:"signal,omitempty"`
	Syscall   map[string]*syscallDoc `json:"syscall,omitempty"`
	User      *userDoc               `json:"usr,omitempty"`
	DD        *spanDoc               `json:"dd,omitempty"`
}

type agentDoc struct {
	RuleID         string `json:"rule_id"`
	OriginalRuleID string `json:"original_rule_id"`
	RuleVersion    string `json:"rule_version,omitempty"`
	RuleActions    []any  `json:"rule_actions,omitempty"`
	PolicyName     string `json:"policy_name,omitempty"`
	PolicyVersion  string `json:"policy_version,omitempty"`
	Version        string `json:"version,omitempty"`
	OS             string `json:"os,omitempty"`
	Arch           string `json:"arch,omitempty"`
	Origin         string `json:"origin,omitempty"`
	KernelVersion  string `json:"kernel_version,omitempty"`
	Distribution   string `json:"distribution,omitempty"`
}

// killDoc says what a kill action did. pids and error are ours; the original's schema leaves actions open.
type killDoc struct {
	Type         string `json:"type"`
	Signal       string `json:"signal"`
	Scope        string `json:"scope"`
	Status       string `json:"status"`
	DisarmerType string `json:"disarmer_type,omitempty"`
	CreatedAt    string `json:"created_at,omitempty"`
	DetectedAt   string `json:"detected_at,omitempty"`
	KilledAt     string `json:"killed_at,omitempty"`
	ExitedAt     string `json:"exited_at,omitempty"`
	TTR          string `json:"ttr,omitempty"` // time to remediation: from detection to exit
	PIDs         []int  `json:"pids,omitempty"`
	Error        string `json:"error,omitempty"`
}

type hashDoc struct {
	Type  string `json:"type"`
	Path  string `json:"path"`
	State string `json:"state"`
}

type evtDoc struct {
	Name         string         `json:"name"`
	Category     string         `json:"category"`
	Outcome      string         `json:"outcome"`
	MatchedRules []matchedDoc   `json:"matched_rules,omitempty"`
	Variables    map[string]any `json:"variables,omitempty"`
	RuleContext  *expressionDoc `json:"rule_context,omitempty"`
}

type matchedDoc struct {
	ID            string   `json:"id"`
	Version       string   `json:"version,omitempty"`
	Tags          []string `json:"tags,omitempty"`
	PolicyName    string   `json:"policy_name,omitempty"`
	PolicyVersion string   `json:"policy_version,omitempty"`
}

type expressionDoc struct {
	Expression string     `json:"expression"`
	Matching   []matchDoc `json:"matching_subexprs,omitempty"`
}

type matchDoc struct {
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	Value  string `json:"value"`
	Field  string `json:"field,omitempty"`
}

type fileDoc struct {
	Path                 string   `json:"path,omitempty"`
	Name                 string   `json:"name,omitempty"`
	Extension            string   `json:"extension,omitempty"`
	Inode                uint64   `json:"inode,omitempty"`
	Mode                 uint32   `json:"mode,omitempty"`
	UID                  int64    `json:"uid"`
	GID                  int64    `json:"gid"`
	User                 string   `json:"user,omitempty"`
	Group                string   `json:"group,omitempty"`
	Flags                []string `json:"flags,omitempty"`
	AccessTime           string   `json:"access_time,omitempty"`
	ModificationTime     string   `json:"modification_time,omitempty"`
	ChangeTime           string   `json:"change_time,omitempty"`
	PackageName          string   `json:"package_name,omitempty"`
	PackageVersion       string   `json:"package_version,omitempty"`
	PackageEpoch         int64    `json:"package_epoch,omitempty"`
	PackageRelease       string   `json:"package_release,omitempty"`
	PackageSourceVersion string   `json:"package_source_version,omitempty"`
	PackageSourceEpoch   int64    `json:"package_source_epoch,omitempty"`
	PackageSourceRelease string   `json:"package_source_release,omitempty"`
	Hashes               []string `json:"hashes,omitempty"`
	HashState            string   `json:"hash_state,omitempty"`
	Destination          *fileDoc `json:"destination,omitempty"`
}

type processDoc struct {
	PID           uint32          `json:"pid,omitempty"`
	PPID          uint32          `json:"ppid,omitempty"`
	TID           uint32          `json:"tid,omitempty"`
	UID           int64           `json:"uid"`
	GID           int64           `json:"gid"`
	User          string          `json:"user,omitempty"`
	Group         string          `json:"group,omitempty"`
	Comm          string          `json:"comm,omitempty"`
	TTY           string          `json:"tty,omitempty"`
	ForkTime      string          `json:"fork_time,omitempty"`
	ExecTime      string          `json:"exec_time,omitempty"`
	ExitTime      string          `json:"exit_time,omitempty"`
	Credentials   *credentialsDoc `json:"credentials,omitempty"`
	Executable    *fileDoc        `json:"executable,omitempty"`
	Container     *containerDoc   `json:"container,omitempty"`
	CGroup        *groupDoc       `json:"cgroup,omitempty"`
	Argv0         string          `json:"argv0,omitempty"`
	Args          []string        `json:"args,omitempty"`
	ArgsTruncated bool            `json:"args_truncated,omitempty"`
	Envs          []string        `json:"envs,omitempty"`
	EnvsTruncated bool            `json:"envs_truncated,omitempty"`
	IsThread      bool            `json:"is_thread,omitempty"`
	Variables     map[string]any  `json:"variables,omitempty"`
	Parent        *processDoc     `json:"parent,omitempty"`
	Ancestors     []*processDoc   `json:"ancestors,omitempty"`
	Truncated     bool            `json:"truncated_ancestors,omitempty"`
}

type credentialsDoc struct {
	UID          int64     `json:"uid"`
	User         string    `json:"user,omitempty"`
	GID          int64     `json:"gid"`
	Group        string    `json:"group,omitempty"`
	EUID         int64     `json:"euid"`
	EUser        string    `json:"euser,omitempty"`
	EGID         int64     `json:"egid"`
	EGroup       string    `json:"egroup,omitempty"`
	FSUID        int64     `json:"fsuid"`
	FSUser       string    `json:"fsuser,omitempty"`
	FSGID        int64     `json:"fsgid"`
	FSGroup      string    `json:"fsgroup,omitempty"`
	AUID         int64     `json:"auid"`
	CapEffective []string  `json:"cap_effective"`
	CapPermitted []string  `json:"cap_permitted"`
	Destination  *setIDDoc `json:"destination,omitempty"`
}

type setIDDoc struct {
	UID          *int64   `json:"uid,omitempty"`
	User         string   `json:"user,omitempty"`
	EUID         *int64   `json:"euid,omitempty"`
	EUser        string   `json:"euser,omitempty"`
	FSUID        *int64   `json:"fsuid,omitempty"`
	FSUser       string   `json:"fsuser,omitempty"`
	GID          *int64   `json:"gid,omitempty"`
	Group        string   `json:"group,omitempty"`
	EGID         *int64   `json:"egid,omitempty"`
	EGroup       string   `json:"egroup,omitempty"`
	FSGID        *int64   `json:"fsgid,omitempty"`
	FSGroup      string   `json:"fsgroup,omitempty"`
	CapEffective []string `json:"cap_effective,omitempty"`
	CapPermitted []string `json:"cap_permitted,omitempty"`
}

type exitDoc struct {
	Cause string `json:"cause"`
	Code  uint32 `json:"code"`
}

type containerDoc struct {
	ID        string         `json:"id,omitempty"`
	CreatedAt string         `json:"created_at,omitempty"`
	Variables map[string]any `json:"variables,omitempty"`
}

type groupDoc struct {
	ID        string         `json:"id,omitempty"`
	Variables map[string]any `json:"variables,omitempty"`
}

type addressDoc struct {
	Family string `json:"family"`
	IP     string `json:"ip"`
	Port   uint16 `json:"port"`
}

type socketDoc struct {
	Addr      addressDoc `json:"addr"`
	Hostnames *[]string  `json:"hostnames,omitempty"` // required for accept and connect, not there for bind
	Protocol  *string    `json:"protocol,omitempty"`  // required for bind and connect, not there for accept
}

type mountDoc struct {
	MountID        uint32 `json:"mount_id"`
	ParentMountID  uint32 `json:"parent_mount_id"`
	BindSrcMountID uint32 `json:"bind_src_mount_id"`
	Device         uint32 `json:"device"`
	FSType         string `json:"fs_type,omitempty"`
	Mountpoint     string `json:"mountpoint.path,omitempty"`
	Source         string `json:"source.path,omitempty"`
}

type moduleDoc struct {
	Name             string   `json:"name"`
	LoadedFromMemory bool     `json:"loaded_from_memory,omitempty"`
	Argv             []string `json:"argv,omitempty"`
}

type sockoptDoc struct {
	SocketType     string `json:"socket_type"`
	SocketFamily   string `json:"socket_family"`
	SocketProtocol string `json:"socket_protocol"`
	Level          string `json:"level"`
	OptName        string `json:"optname"`
	FilterLen      uint16 `json:"filter_len,omitempty"`
	FilterCut      bool   `json:"is_filter_truncated,omitempty"`
	Filter         string `json:"filter,omitempty"`
	FilterHash     string `json:"filter_hash,omitempty"`
}

type prctlDoc struct {
	Option  string `json:"option"`
	NewName string `json:"new_name,omitempty"`
}

type newSocketDoc struct {
	Domain   string `json:"domain"`
	Type     string `json:"type"`
	Protocol string `json:"protocol"`
}

type ptraceDoc struct {
	Request string      `json:"request"`
	Tracee  *processDoc `json:"tracee,omitempty"`
}

type signalDoc struct {
	Type string `json:"type"`
	PID  int32  `json:"pid"`
}

type syscallDoc struct {
	Path        string `json:"path,omitempty"`
	Destination string `json:"destination_path,omitempty"`
	Flags       *int64 `json:"flags,omitempty"`
	Mode        *int64 `json:"mode,omitempty"`
	UID         *int64 `json:"uid,omitempty"`
	GID         *int64 `json:"gid,omitempty"`
	FSType      string `json:"fs_type,omitempty"`
}

type userDoc struct {
	ID    string `json:"id,omitempty"`
	Group string `json:"group,omitempty"`
}

type spanDoc struct {
	SpanID  string `json:"span_id,omitempty"`
	TraceID string `json:"trace_id,omitempty"`
}
