package ring

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func open(t testing.TB, size int) *Ring {
	t.Helper()
	r, err := Open(make([]byte, HeaderSize+size))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOpenRefusesOddSizes(t *testing.T) {
	for _, size := range []int{0, 100, 4095, 5000, 12288} {
		if _, err := Open(make([]byte, HeaderSize+size)); err == nil {
			t.Errorf("Open accepted %d bytes of data", size)
		}
	}
}

// Whatever the lengths and the pace of the reader, what was accepted comes out once, in order and unchanged.
func TestReadsWhatWasWritten(t *testing.T) {
	r := open(t, 4096)
	rng := rand.New(rand.NewPCG(1, 2))
	var queued [][]byte
	at, next := r.Start(), uint64(1)
	refused := uint64(0)
	for range 200_000 {
		if rng.IntN(2) == 0 {
			record := make([]byte, rng.IntN(900))
			for i := range record {
				record[i] = byte(rng.Uint32())
			}
			if r.Write(record, rng.IntN(2) == 0) {
				queued = append(queued, record)
			} else {
				refused++
			}
			continue
		}
		rec, ok, err := r.Read(at)
		if err != nil {
			t.Fatal(err)
		}
		if ok != (len(queued) > 0) {
			t.Fatalf("Read says %v with %d records queued", ok, len(queued))
		}
		if !ok {
			continue
		}
		if rec.Seq != next || !bytes.Equal(rec.Data, queued[0]) {
			t.Fatalf("record %d differs", next)
		}
		next++
		queued, at = queued[1:], rec.Next
		if rng.IntN(3) == 0 {
			r.Release(at)
		}
	}
	if refused == 0 || r.Dropped() != refused {
		t.Errorf("refused %d, counted %d", refused, r.Dropped())
	}
}

func TestUnreleasedRecordsCanBeReadAgain(t *testing.T) {
	r := open(t, 4096)
	r.Write([]byte("one"), false)
	r.Write([]byte("two"), true)
	first, _, _ := r.Read(r.Start())
	again, ok, _ := r.Read(r.Start())
	if !ok || again.Seq != first.Seq || string(again.Data) != "one" {
		t.Errorf("second reading gave %q", again.Data)
	}
}

func TestTheLastEighthIsForUrgentRecords(t *testing.T) {
	r := open(t, 4096)
	record := make([]byte, 48)
	plain, urgent := 0, 0
	for r.Write(record, false) {
		plain++
	}
	for r.Write(record, true) {
		urgent++
	}
	if plain != 4096*7/8/64 || urgent != 4096/8/64 || r.Dropped() != 2 {
		t.Errorf("%d plain and %d urgent records, %d dropped", plain, urgent, r.Dropped())
	}
}

func FuzzReadSurvivesAnyMemory(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint64(64), uint64(0))
	f.Fuzz(func(t *testing.T, noise []byte, head, tail uint64) {
		r := open(t, 4096)
		copy(r.data, noise)
		r.h.head, r.h.tail = head, tail
		at := r.Start()
		for range 2000 {
			rec, ok, err := r.Read(at)
			if err != nil || !ok {
				return
			}
			at = rec.Next
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	r := open(b, 1<<20)
	record := make([]byte, 120)
	b.ReportAllocs()
	for b.Loop() {
		if !r.Write(record, false) {
			r.Release(Cursor(r.h.head))
		}
	}
}
