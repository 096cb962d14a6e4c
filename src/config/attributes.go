package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const accessList = "system.posix_acl_access" // acl(5), xattr(7)

// attributesLike gives a file what another one has beside its content and mode: owner, access control list, SELinux label and
// what users noted. Nothing where like is "".
func attributesLike(file *os.File, like string) error {
	if like == "" {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(like, &st); err != nil {
		return fmt.Errorf("stat %s: %w", like, err)
	}
	if err := file.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	names, err := attributeNames(like)
	if err != nil {
		return err
	}
	// A folder may have a default list, which the new file got.
	if err := unix.Fremovexattr(int(file.Fd()), accessList); err != nil && err != unix.ENODATA && err != unix.ENOTSUP {
		return fmt.Errorf("remove %s: %w", accessList, err)
	}
	for _, name := range names {
		if err := copyAttribute(file, like, name); err != nil {
			return fmt.Errorf("keep %s of %s: %w", name, like, err)
		}
	}
	return nil
}

// attributeNames leaves out what the kernel keeps of a content: a measurement of the old one would lock the new one out.
func attributeNames(path string) ([]string, error) {
	list := make([]byte, 65536) // XATTR_LIST_MAX
	n, err := unix.Listxattr(path, list)
	if err == unix.ENOTSUP {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list attributes of %s: %w", path, err)
	}
	var names []string
	for _, name := range strings.Split(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
		if name != "" && name != "security.ima" && name != "security.evm" {
			names = append(names, name)
		}
	}
	return names, nil
}

// copyAttribute: an access list that can't be kept is an error. Of the others, some are not this process's to give.
func copyAttribute(file *os.File, from, name string) error {
	value := make([]byte, 65536) // XATTR_SIZE_MAX
	n, err := unix.Getxattr(from, name, value)
	if err == nil {
		err = unix.Fsetxattr(int(file.Fd()), name, value[:n], 0)
	}
	refused := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOTSUP)
	if refused && name != accessList {
		return nil
	}
	return err
}
