package sinks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"
	"github.com/ebpfless/ebpfless/src/probe"
)

// Identifier is what journalctl -t finds detections by.
const Identifier = "system-probe"

// Journal writes detections to systemd's journal with fields to search by: journalctl -t system-probe RULE_ID=…
type Journal struct {
	send func(message string, priority journal.Priority, fields map[string]string) error
}

// NewJournal fails where no journal runs.
func NewJournal() (Journal, error) {
	if !journal.Enabled() {
		return Journal{}, errors.New("there is no journal: /run/systemd/journal/socket can't be written to")
	}
	return Journal{send: journal.Send}, nil
}

// priorities are those of syslog(3) for the severities of rules.
var priorities = map[string]journal.Priority{
	"critical": journal.PriCrit, "high": journal.PriErr, "medium": journal.PriWarning, "low": journal.PriNotice, "info": journal.PriInfo,
}

// Write implements Writer.
func (j Journal) Write(d *probe.Detection) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode detection: %w", err)
	}
	fields := map[string]string{
		"SYSLOG_IDENTIFIER": Identifier, "RULE_ID": d.Agent.RuleID, "POLICY_NAME": d.Agent.PolicyName,
		"EVENT_TYPE": d.Evt.Name, "OUTCOME": d.Evt.Outcome, "DETECTION": string(text),
	}
	message := d.Agent.RuleID + ": " + printable(d.Title)
	if what := object(d); what != "" {
		message += ": " + printable(what)
	}
	if p := d.Process; p != nil {
		fields["TARGET_PID"], fields["TARGET_UID"] = strconv.Itoa(int(p.PID)), strconv.FormatInt(p.UID, 10)
		fields["TARGET_COMM"] = p.Comm
		if p.Executable != nil {
			fields["TARGET_EXE"] = p.Executable.Path
		}
		message += ": " + printable(process(d))
	}
	if d.File != nil {
		fields["FILE_PATH"] = d.File.Path
	}
	if d.Container != nil {
		fields["CONTAINER_ID"] = d.Container.ID
	}
	priority := journal.PriWarning
	if d.IsNotice() {
		priority = journal.PriInfo
	}
	for _, rule := range d.Evt.MatchedRules {
		for _, tag := range rule.Tags {
			name, value, _ := strings.Cut(tag, ":")
			switch known, found := priorities[value]; {
			case name == "severity" && found:
				fields["SEVERITY"], priority = value, known
			case name == "technique" || name == "tactic":
				fields[strings.ToUpper(name)] = value
			}
		}
	}
	for name, value := range fields {
		if value == "" {
			delete(fields, name)
		}
	}
	return j.send(message, priority, fields)
}
