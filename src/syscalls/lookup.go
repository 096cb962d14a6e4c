package syscalls

import "strings"

// numbered is a name and its number in every ABI.
type numbered struct {
	name string
	nr   [abiCount]int16
}

// tableSize is above every number there is; those of x32 end at 547, and the others grow towards 512 by a few a year.
const tableSize = 640

// entry is what is known of one number.
type entry struct {
	name string
	row  *Row
}

var (
	rows    = compile()
	entries = index()
)

// Lookup finds the row of a call, nil for one that isn't tracked. The number of an X32 call may come with X32Bit or
// without it.
func Lookup(abi ABI, nr uint32) *Row {
	if e := at(abi, nr); e != nil {
		return e.row
	}
	return nil
}

// Name gives the name of any call, tracked or not; empty for an unknown number.
func Name(abi ABI, nr uint32) string {
	if e := at(abi, nr); e != nil {
		return e.name
	}
	return ""
}

// NumberOf finds the number of any call by its name, tracked or not; false where the ABI doesn't have it.
func NumberOf(abi ABI, name string) (uint32, bool) {
	for i := range numbers {
		if numbers[i].name == name && abi < abiCount && numbers[i].nr[abi] >= 0 {
			return uint32(numbers[i].nr[abi]) | mark(abi), true
		}
	}
	return 0, false
}

// BehindSocketcall finds the row behind the first argument of socketcall(2); its roles index the array of longs that the
// second argument points to.
func BehindSocketcall(request uint32) *Row {
	if request >= uint32(len(socketcalls)) {
		return nil
	}
	return rows[socketcalls[request]]
}

// Number is a number and the call that it stands for.
type Number struct {
	NR  uint32 // X32Bit included
	Row *Row
}

// Numbers lists the tracked calls of an ABI in ascending order of number.
func Numbers(abi ABI) []Number {
	var list []Number
	for nr := range uint32(tableSize) {
		if row := entries[abi][nr].row; row != nil {
			list = append(list, Number{NR: nr | mark(abi), Row: row})
		}
	}
	return list
}

func mark(abi ABI) uint32 {
	if abi == X32 {
		return X32Bit
	}
	return 0
}

func at(abi ABI, nr uint32) *entry {
	if nr &^= mark(abi); abi < abiCount && nr < tableSize {
		return &entries[abi][nr]
	}
	return nil
}

// compile makes rows of the table.
func compile() map[string]*Row {
	made := make(map[string]*Row, len(calls))
	for i := range calls {
		made[calls[i].name] = calls[i].compile()
	}
	for name, row := range made {
		row.ShortID = made[name+"32"] != nil
	}
	return made
}

func (c *call) compile() *Row {
	row := &Row{
		Name: c.name, Call: c.call, Kind: c.kind, Entry: c.when == atBoth, Exit: true,
		follow: c.link.yes, followFlip: c.link.flip,
	}
	for role := range row.At {
		row.At[role] = -1
	}
	for i, word := range strings.Fields(c.args) {
		if role, ok := words[word]; ok {
			row.At[role] = int8(i)
		}
	}
	if except := exceptions[c.name]; except != nil {
		except(row)
	}
	return row
}

// index spreads the numbers over one table per ABI.
func index() *[abiCount][tableSize]entry {
	var made [abiCount][tableSize]entry
	for _, n := range numbers {
		for abi, nr := range n.nr {
			if nr >= 0 {
				made[abi][nr] = entry{name: n.name, row: rows[n.name]}
			}
		}
	}
	// Kernels before 5.4 have one table for both: there the numbers from 512 up work without X32Bit too, and with it
	// those that x32 has replaced. A filter that minds only the documented numbers can be walked around.
	for nr := range made[AMD64] {
		fill(&made[AMD64][nr], made[X32][nr])
		fill(&made[X32][nr], made[AMD64][nr])
	}
	return &made
}

func fill(e *entry, other entry) {
	if e.name == "" {
		*e = other
	}
}
