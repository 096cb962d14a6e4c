package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// rpm's database has had three formats; rpm(8) itself reads each of them.
func rpm(root string) database {
	var files []string
	for _, name := range []string{
		"/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages.db",
		"/usr/lib/sysimage/rpm/Packages.db", "/var/lib/rpm/Packages",
	} {
		files = append(files, filepath.Join(root, name))
	}
	return database{
		name:  "rpm",
		state: func() string { return stateOf(files...) },
		list:  func(add func(Package, []string)) error { return listRPM(root, add) },
	}
}

const (
	rpmLimit  = 2 * time.Minute
	rpmFormat = `=%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{SOURCERPM}\n[%{FILENAMES}\n]`
)

func listRPM(root string, add func(Package, []string)) error {
	program := ""
	for _, path := range []string{"/usr/bin/rpm", "/bin/rpm"} { // not by PATH, which may be anybody's
		if _, err := os.Stat(path); err == nil {
			program = path
			break
		}
	}
	switch {
	case program == "":
		return errors.New("there is no /usr/bin/rpm")
	case root != "" && root != "/":
		return errors.New("the host's rpm can't be run from a container")
	}
	ctx, cancel := context.WithTimeout(context.Background(), rpmLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-qa", "--qf", rpmFormat)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=/"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	parsing := parseRPM(out, mergedFolders(root), add)
	if parsing != nil {
		cancel()
	}
	if err := cmd.Wait(); err != nil && parsing == nil {
		return fmt.Errorf("%s -qa: %w", program, err)
	}
	return parsing
}

// parseRPM reads a line for each package and the names of its files below it.
func parseRPM(in io.Reader, moved map[string]string, add func(Package, []string)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	var p Package
	var files []string
	end := func() {
		if p.Name != "" {
			add(p, places(files, moved))
		}
		p, files = Package{}, nil
	}
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "=") {
			files = append(files, line)
			continue
		}
		end()
		fields := strings.Split(line[1:], "\t")
		if len(fields) != 5 {
			return fmt.Errorf("rpm: %q is no package", line)
		}
		p = Package{Name: fields[0], Version: fields[2], Release: fields[3]}
		p.Epoch, _ = strconv.ParseInt(fields[1], 10, 64) // "(none)" is 0
		p.SourceEpoch = p.Epoch
		p.SourceVersion, p.SourceRelease = sourceOf(fields[4])
	}
	end()
	return lines.Err()
}

// sourceOf parts NAME-VERSION-RELEASE.src.rpm.
func sourceOf(file string) (version, release string) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".nosrc"), ".src"), "-")
	if len(parts) < 3 {
		return "", ""
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}
