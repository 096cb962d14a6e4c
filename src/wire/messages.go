package wire

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file messages.go -o messages_gen.go -io=false -tests=false -unexported

// The structs of the protocol. Field names are the keys, in the order in which the original declares them.

//msgp:ignore num8 num16 num32 num64 int32n int64n plain list blob address

type message struct {
	Type    int32n
	Hello   *hello
	Syscall *syscall
	Seq     uint64 `msg:"Seq,omitempty"`     // ours
	Dropped uint64 `msg:"Dropped,omitempty"` // ours
}

type hello struct {
	NSID             num64
	ContainerContext *container
	EntrypointArgs   list
	Mode             string
	Accepts          []string `msg:"Accepts,omitempty"` // ours
}

type container struct {
	ID             string
	Name           string `msg:"Name,omitempty"` // until the end of 2024, as the next two
	ImageShortName string `msg:"ImageShortName,omitempty"`
	ImageTag       string `msg:"ImageTag,omitempty"`
	CreatedAt      num64
}

type syscall struct {
	Type         int32n
	PID          num32
	SpanContext  *span
	Timestamp    num64
	Retval       int64n
	ContainerID  string
	CGroupID     string
	Exec         *exec
	Open         *open
	Fork         *fork
	Exit         *exit
	Fcntl        *fcntl
	SetUID       *setUID
	SetGID       *setGID
	SetFSUID     *setFSUID
	SetFSGID     *setFSGID
	Capset       *capset
	Unlink       *onFile
	Rmdir        *onFile
	Rename       *rename
	Mkdir        *mkdir
	Utimes       *utimes
	Link         *link
	Chmod        *chmod
	Chown        *chown
	LoadModule   *loadModule
	UnloadModule *unloadModule
	Chdir        *chdir
	Mount        *mount
	Umount       *umount
	Bind         *sock
	Connect      *sock
	Accept       *accept
	Setsockopt   *setsockopt
	Setrlimit    *setrlimit
	Prctl        *prctl
	Dup          *ignored
	Pipe         *ignored
	Socket       *socket
	Ptrace       *ptrace `msg:"Ptrace,omitempty"` // ours
	Signal       *signal `msg:"Signal,omitempty"` // ours
}

type span struct {
	SpanID  num64
	TraceID traceID
}

type credentials struct {
	UID    num32
	User   string
	EUID   num32
	EUser  string
	GID    num32
	Group  string
	EGID   num32
	EGroup string
}

type file struct {
	Filename    string
	CTime       num64
	MTime       num64
	Mode        num32
	Inode       num64
	Credentials *credentials
}

type exec struct {
	File          *file
	Args          list
	ArgsTruncated bool
	Envs          list
	EnvsTruncated bool
	TTY           string
	Credentials   *credentials
	PPID          num32
	FromProcFS    bool
}

type open struct {
	Filename    string
	CTime       num64
	MTime       num64
	Mode        num32
	Inode       num64
	Credentials *credentials
	Flags       num32
}

type fork struct{ PPID num32 }

type exit struct {
	Code  num32
	Cause num32
}

type fcntl struct {
	Fd  num32
	Cmd num32
}

type setUID struct {
	UID   int32n
	User  string
	EUID  int32n
	EUser string
}

type setGID struct {
	GID    int32n
	Group  string
	EGID   int32n
	EGroup string
}

type setFSUID struct {
	FSUID  int32n
	FSUser string
}

type setFSGID struct {
	FSGID   int32n
	FSGroup string
}

type capset struct {
	Effective num64
	Permitted num64
}

type onFile struct{ File file }

type chdir struct{ Dir file }

type rename struct {
	OldFile file
	NewFile file
}

type mkdir struct {
	Dir  file
	Mode num32
}

type utimes struct {
	File  file
	ATime num64
	MTime num64
}

type link struct {
	Target file
	Link   file
	Type   num8 // 0 symbolic, 1 hard
}

type chmod struct {
	File file
	Mode num32
}

type chown struct {
	File  file
	UID   int32n
	User  string
	GID   int32n
	Group string
}

type loadModule struct {
	File             file
	Name             string
	Args             string
	LoadedFromMemory bool
}

type unloadModule struct{ Name string }

type mount struct {
	Source string
	Target string
	FSType string
}

type umount struct{ Path string }

type sock struct {
	Addr          address
	AddressFamily num16
	Port          num16
	Protocol      num16
}

type accept struct {
	Addr          address
	AddressFamily num16
	Port          num16
	SocketFd      int32n
}

type setsockopt struct {
	SocketFamily   num16
	SocketProtocol num16
	SocketType     num16
	Level          num32
	OptName        num32
	Filter         blob
	FilterLen      num16
}

type setrlimit struct {
	Resource plain
	CurLimit num64
	MaxLimit num64
	Pid      num32
}

type prctl struct {
	Option  plain
	Arg2    num64
	NewName string
}

// socket is public from 2026 on; until then its key held something internal with other fields.
type socket struct {
	Domain   plain
	Type     plain
	Protocol plain
}

type ptrace struct {
	Request int64n
	PID     num32
}

type signal struct {
	Signal int32n
	PID    int32n
}

// answer is ours: what a probe says to a tracer that accepts it.
type answer struct {
	Interest *interest `msg:"Interest,omitempty"`
	Ack      uint64    `msg:"Ack,omitempty"`
}

type interest struct {
	Kinds     list // event types; unknown ones are skipped
	OpenFlags num32
	Signals   num64

	SparedOpens num32 // may be absent
	UnlessOpens num32
}
