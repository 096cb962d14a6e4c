package host

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// dpkg's database: the paragraphs of var/lib/dpkg/status (deb-control(5)) and a list of files for each package.
func dpkg(root string) database {
	folder := filepath.Join(root, "/var/lib/dpkg")
	status := filepath.Join(folder, "status")
	return database{
		name:  "dpkg",
		state: func() string { return stateOf(status) },
		list:  func(add func(Package, []string)) error { return listDpkg(root, folder, status, add) },
	}
}

func listDpkg(root, folder, status string, add func(Package, []string)) error {
	file, err := os.Open(status)
	if err != nil {
		return err
	}
	defer file.Close()
	moved := mergedFolders(root)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20) // descriptions are long
	fields := map[string]string{}
	end := func() {
		if p, installed := dpkgPackage(fields); installed {
			add(p, dpkgFiles(folder, fields, moved))
		}
		clear(fields)
	}
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), ":")
		switch {
		case lines.Text() == "":
			end()
		case found && !strings.HasPrefix(name, " "):
			fields[name] = strings.TrimSpace(value)
		}
	}
	end()
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %q: %w", status, err)
	}
	return nil
}

// dpkgPackage reads a paragraph. Of a package that was removed only its settings are left.
func dpkgPackage(fields map[string]string) (Package, bool) {
	want := strings.Fields(fields["Status"])
	if len(want) != 3 || want[2] == "config-files" || want[2] == "not-installed" || fields["Package"] == "" {
		return Package{}, false
	}
	p := Package{Name: fields["Package"]}
	p.Epoch, p.Version, p.Release = dpkgVersion(fields["Version"])
	p.SourceEpoch, p.SourceVersion, p.SourceRelease = p.Epoch, p.Version, p.Release
	if _, version, other := strings.Cut(strings.TrimSuffix(fields["Source"], ")"), "("); other {
		p.SourceEpoch, p.SourceVersion, p.SourceRelease = dpkgVersion(version)
	}
	return p, true
}

// dpkgVersion parts [epoch:]version[-release], deb-version(7).
func dpkgVersion(text string) (epoch int64, version, release string) {
	if before, after, found := strings.Cut(text, ":"); found {
		epoch, _ = strconv.ParseInt(before, 10, 64)
		text = after
	}
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		return epoch, text[:i], text[i+1:]
	}
	return epoch, text, ""
}

// dpkgFiles reads the list of a package's files; those of several architectures have it in their name.
func dpkgFiles(folder string, fields map[string]string, moved map[string]string) []string {
	base := filepath.Join(folder, "info", fields["Package"])
	text, err := os.ReadFile(base + ".list")
	if err != nil {
		text, err = os.ReadFile(base + ":" + fields["Architecture"] + ".list")
	}
	if err != nil {
		return nil // such as a package that was never unpacked
	}
	return places(strings.Split(string(text), "\n"), moved)
}

// places leaves out the folders of a list, which stand before what is in them, and names files as the kernel does.
func places(list []string, moved map[string]string) []string {
	var files []string
	for i, path := range list {
		if len(path) < 2 || path[0] != '/' || i+1 < len(list) && strings.HasPrefix(list[i+1], path+"/") {
			continue
		}
		first, rest, _ := strings.Cut(path[1:], "/")
		if to := moved[first]; to != "" {
			path = "/" + to + "/" + rest
		}
		files = append(files, path)
	}
	return files
}

// mergedFolders are the links from / into /usr that merged systems have; packages may still name files by them.
func mergedFolders(root string) map[string]string {
	moved := map[string]string{}
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"} {
		if to, err := os.Readlink(filepath.Join(root, "/", name)); err == nil {
			moved[name] = strings.TrimPrefix(to, "/")
		}
	}
	return moved
}
