package sysvinit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	texts "github.com/ebpfless/ebpfless/init"
	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/settings"
	"github.com/ebpfless/ebpfless/src/unit"
)

var templates = template.Must(template.New("").Funcs(template.FuncMap{"quote": unit.QuoteShell}).ParseFS(texts.Sysvinit, "sysvinit/*.sh.tmpl"))

// wrapping fills in wrap.sh.
type wrapping struct {
	Header                     unit.Header
	Name, Script, Tracer, Lock string
	Flags                      []string
}

// running fills in run.sh.
type running struct {
	Header                 unit.Header
	Name, What             string
	Program                string // must be there
	PIDFile, Log, Lock     string
	Environment            []string // KEY=VALUE
	UMask, Directory, User string
	Before                 []string // the command's beginning, up to where --uid and --gid go
	Command                []string
}

// text is the script that watches a service.
func (s System) text(name string, mode service.Mode) (string, error) {
	conf, err := s.settings(name)
	if err != nil {
		return "", err
	}
	script, err := os.ReadFile(s.script(name))
	there := err == nil
	header := unit.ParseHeader(string(script))
	switch {
	case there && mode == service.Wrap:
		return s.wrapped(name, header, script)
	case mode == service.Attach && (there || conf != nil && conf.Match != ""):
		return s.attached(name, header)
	case mode == service.Wrap && conf != nil && conf.Command != "":
		return s.own(name, conf)
	}
	return "", &service.Obstacle{
		Reason: fmt.Sprintf("%v: neither %s/%s nor a fitting %s/%[3]s%[5]s", service.ErrUnknown, scripts, name, settings.Folder, settings.Suffix),
		Hint:   "ls " + scripts,
	}
}

// subsys is where Red Hat's rc looks which services run.
const subsys = "/var/lock/subsys/"

func render(name string, data any) (string, error) {
	var b strings.Builder
	err := templates.ExecuteTemplate(&b, name, data)
	return b.String(), err
}

func (s System) wrapped(name string, header unit.Header, script []byte) (string, error) {
	if !strings.HasPrefix(string(script), "#!") {
		return "", &service.Obstacle{Reason: fmt.Sprintf("%s/%s is no script", scripts, name), Hint: "name an init script"}
	}
	mine, err := s.header(name, service.Wrap, header)
	if err != nil {
		return "", err
	}
	return render("wrap.sh.tmpl", wrapping{
		Header: mine, Name: name, Script: filepath.Join(scripts, name), Tracer: s.Tracer, Lock: subsys + ours(name, service.Wrap),
		Flags: s.flags(),
	})
}

// flags are the tracer's. A boot must not stand still for a probe that doesn't come.
func (s System) flags() []string {
	var flags []string
	if !s.Original {
		flags = append(flags, "--wait", "10s")
	}
	if s.ProbeAddr != "" {
		flags = append(flags, "--probe-addr", s.ProbeAddr)
	}
	return flags
}

func (s System) attached(name string, header unit.Header) (string, error) {
	mine, err := s.header(name, service.Attach, header)
	if err != nil {
		return "", err
	}
	made := ours(name, service.Attach)
	return render("run.sh.tmpl", running{
		Header: mine, Name: name, What: "keeps tracers attached to the processes of a service", Program: ctl,
		PIDFile: "/var/run/" + made + ".pid", Log: "/var/log/" + made + ".log", Lock: subsys + made, Directory: "/",
		Command: []string{ctl, "hook", "attach", "--", name},
	})
}

func (s System) own(name string, conf *settings.Settings) (string, error) {
	mine, err := s.header(name, service.Wrap, unit.Header{})
	if err != nil {
		return "", err
	}
	words, err := words(conf)
	if err != nil {
		return "", err
	}
	made := ours(name, service.Wrap)
	r := running{
		Header: mine, Name: name, What: fmt.Sprintf("runs the command of %s/%s%s behind a tracer", settings.Folder, name, settings.Suffix), Program: words[0],
		PIDFile: "/var/run/" + made + ".pid", Log: "/var/log/" + made + ".log", Lock: subsys + made, Directory: "/",
		Before: append([]string{s.Tracer, "trace"}, s.flags()...), Command: append([]string{"--"}, words...),
	}
	return render("run.sh.tmpl", r.with(conf))
}

// with takes over those settings that a script can do.
func (r running) with(conf *settings.Settings) running {
	for _, other := range conf.Others {
		switch other.Key {
		case "User":
			r.User = other.Value
		case "UMask":
			r.UMask = other.Value
		case "WorkingDirectory":
			r.Directory = other.Value
		case "Environment":
			split, _ := unit.Words(other.Value)
			for _, word := range split {
				if plain, err := unit.Unquote(word); err == nil && strings.Contains(plain, "=") {
					r.Environment = append(r.Environment, plain)
				}
			}
		}
	}
	return r
}

// words are a command of /etc/cws without its quotes.
func words(conf *settings.Settings) ([]string, error) {
	split, err := unit.Words(conf.Command + " " + conf.Arguments)
	if err != nil {
		return nil, err
	}
	list := make([]string, 0, len(split))
	for _, word := range split {
		plain, err := unit.Unquote(word)
		if err != nil {
			return nil, err
		}
		list = append(list, plain)
	}
	return list, nil
}

// header is that of our script, made of the service's own. It starts in the runlevels in which the service does.
func (s System) header(name string, mode service.Mode, own unit.Header) (unit.Header, error) {
	h := own.Copy()
	made := ours(name, mode)
	h.Set("Provides", made)
	h.Set("Short-Description", name+", "+mode.Past()+" by a tracer")
	h.Set("Description")
	h.Set("Should-Start", append(h.Words("Should-Start"), unitOfProbe)...)
	if len(own.Words("Provides")) == 0 && own.Chkconfig == "" {
		h.Set("Required-Start", "$local_fs", "$remote_fs", "$network")
		h.Set("Required-Stop", "$local_fs", "$remote_fs", "$network")
		h.Set("Default-Start", "2", "3", "4", "5")
		h.Set("Default-Stop", "0", "1", "6")
		h.Chkconfig = "2345 90 10"
	}
	if mode == service.Attach {
		h.Set("Should-Start", append(h.Words("Should-Start"), name)...)
		return h, nil
	}
	links, err := s.links(name)
	if err != nil || !exists(s.script(name)) {
		return h, err
	}
	h.Set("Default-Start", levels(links, true)...)
	h.Set("Default-Stop", levels(links, false)...)
	needed, err := s.needed(name, own)
	if err != nil {
		return h, err
	}
	if needed { // then insserv warns that there are two who provide it, and orders well
		h.Set("Provides", append([]string{made}, own.Words("Provides")...)...)
	}
	return h, nil
}

// needed tells whether another script wants to run after a service.
func (s System) needed(name string, own unit.Header) (bool, error) {
	files, err := filepath.Glob(s.script("*"))
	if err != nil {
		return false, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || filepath.Base(file) == name || strings.HasPrefix(filepath.Base(file), "cws-") {
			continue
		}
		other := unit.ParseHeader(string(text))
		for _, field := range []string{"Required-Start", "Required-Stop", "Should-Start", "Should-Stop"} {
			if slices.ContainsFunc(other.Words(field), func(word string) bool { return slices.Contains(own.Words("Provides"), word) }) {
				return true, nil
			}
		}
	}
	return false, nil
}
