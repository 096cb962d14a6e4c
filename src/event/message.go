package event

// Message is what a tracer sends: exactly one of Hello, Event and Goodbye is set.
type Message struct {
	Hello   *Hello
	Event   *Event
	Goodbye bool
	Seq     uint64 // ours: position in the tracer's stream, from 1; 0 from tracers that don't count
	Dropped uint64 // ours: events lost in the tracer since it started
}

// Mode says how the tracer came to its processes.
type Mode string

// The modes that a hello names.
const (
	Wrapped     Mode = "wrapped"
	Attached    Mode = "attached"
	UnknownMode Mode = "unknown"
)

// Hello opens every connection, and opens it again after each reconnection.
type Hello struct {
	Mode      Mode
	Args      []string // argv of the wrapped command; nil when attached
	NSID      uint64   // inode of the tracer's pid namespace
	Container Container
	Accepts   []string // ours: which answers the tracer understands; empty from the original
}

// Container is the tracer's own container; its ID is empty outside one.
type Container struct {
	ID        string
	CreatedAt uint64 // nanoseconds since the epoch
	Name      string
	Image     string
	Tag       string
}

// What a tracer can accept from a probe.
const (
	AcceptInterest = "interest" // the probe may say what to trap
	AcceptAck      = "ack"      // the probe may say up to which Seq it has taken over
)

// Answer is what a probe of ours sends to a tracer whose hello accepts it: Interest once as the first frame, then Ack.
type Answer struct {
	Interest *Interest
	Ack      uint64 // every event up to this Seq is in the probe's hands
}

// Interest says what the loaded rules can ever ask for. The tracer may leave the rest alone.
type Interest struct {
	Kinds     Set
	OpenFlags uint32 // an open counts when it has any of these bits; 0: every open counts
	// Opens that have any of the first flags and none of the second don't count.
	SparedOpens, UnlessOpens uint32

	Signals uint64 // bit n: signal n counts, n from 0; 0: every signal counts
}

// WantsOpen tells whether an open with the given flags counts.
func (i *Interest) WantsOpen(flags uint32) bool {
	asked := i.OpenFlags == 0 || flags&i.OpenFlags != 0
	spared := flags&i.SparedOpens != 0 && flags&i.UnlessOpens == 0
	return asked && !spared
}

// Covers tells whether whoever reports what i asks for reports everything that other asks for.
func (i *Interest) Covers(other *Interest) bool {
	flags := i.OpenFlags == 0 || other.OpenFlags != 0 && other.OpenFlags&^i.OpenFlags == 0
	spared := i.SparedOpens == 0 || i.SparedOpens == other.SparedOpens && i.UnlessOpens == other.UnlessOpens
	signals := i.Signals == 0 || other.Signals != 0 && other.Signals&^i.Signals == 0
	return other.Kinds&^i.Kinds == 0 && (flags && spared || !other.Kinds.Has(Open)) && (signals || !other.Kinds.Has(Signal))
}

// All is the interest of a probe that doesn't say.
func All() Interest { return Interest{Kinds: Everything} }
