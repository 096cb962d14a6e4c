package wire

import "github.com/ebpfless/ebpfless/src/event"

// Message types.
const (
	typeHello   = 1
	typeSyscall = 2
	typeGoodbye = 3
)

// types are the numbers of kinds; 0 where the original has none.
var types = map[event.Kind]int32n{
	event.Exec: 1, event.Fork: 2, event.Open: 3, event.Exit: 4, event.SetUID: 5, event.SetGID: 6, event.SetFSUID: 7,
	event.SetFSGID: 8, event.Capset: 9, event.Unlink: 10, event.Rmdir: 11, event.Rename: 12, event.Mkdir: 13,
	event.Utimes: 14, event.Link: 15, event.Chmod: 16, event.Chown: 17, event.LoadModule: 18, event.UnloadModule: 19,
	event.Chdir: 20, event.Mount: 21, event.Umount: 22, event.Accept: 23, event.Connect: 24, event.Bind: 25,
	event.Setsockopt: 26, event.Setrlimit: 27, event.Prctl: 28, event.Socket: 29,
	event.Ptrace: 100, event.Signal: 101,
}

// typeSocket settles what the key Socket holds: with any other type it is something internal of the original's.
const typeSocket = 29
