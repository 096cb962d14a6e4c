package config

import (
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file the owner of another one.
func chownLike(file *os.File, like fs.FileInfo) error {
	if like == nil {
		return nil
	}
	st, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return file.Chown(int(st.Uid), int(st.Gid))
}
