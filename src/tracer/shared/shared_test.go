package shared

import (
	"math/rand/v2"
	"testing"
)

func memory(t testing.TB) *Memory {
	t.Helper()
	file, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	m, err := Map(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The table must agree with a map, also where ids collide.
func TestTableAgreesWithAMap(t *testing.T) {
	m := memory(t)
	want := map[int]int{}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50_000 {
		tid := 1 + rng.IntN(40) + TaskSlots*rng.IntN(4) + (TaskSlots-20)*rng.IntN(2)
		if rng.IntN(2) == 0 {
			m.Add(tid, tid+1)
			want[tid] = tid + 1
		} else {
			m.Remove(tid)
			delete(want, tid)
		}
		if int(m.Control.Tasks) != len(want) {
			t.Fatalf("table counts %d tasks, there are %d", m.Control.Tasks, len(want))
		}
	}
	for tid, tgid := range want {
		if task := m.Find(tid); task == nil || int(task.TGID) != tgid {
			t.Errorf("task %d is lost", tid)
		}
	}
	m.Each(func(task *Task) { delete(want, int(task.TID)) })
	if len(want) != 0 {
		t.Errorf("Each missed %v", want)
	}
}

func TestTwoMappingsAreOneMemory(t *testing.T) {
	file, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a, _ := Map(file)
	b, _ := Map(file)
	a.Add(7, 5)
	a.Ring.Write([]byte("hello"), false)
	a.Control.SetConfig([]byte("{}"))
	if task := b.Find(7); task == nil || task.TGID != 5 {
		t.Error("a task of one is not in the other")
	}
	rec, ok, err := b.Ring.Read(b.Ring.Start())
	if !ok || err != nil || string(rec.Data) != "hello" {
		t.Errorf("record is %q, %v, %v", rec.Data, ok, err)
	}
	if string(b.Control.Config()) != "{}" {
		t.Errorf("configuration is %q", b.Control.Config())
	}
}

func TestMapRefusesAnotherVersion(t *testing.T) {
	file, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	file.Truncate(4096)
	if _, err := Map(file); err == nil {
		t.Error("a file of another size was mapped")
	}
}

func TestCallsAreBoundedAndReused(t *testing.T) {
	m := memory(t)
	for tid := 1; tid <= CallSlots+1; tid++ {
		if facts := m.NewCall(m.Add(tid, tid)); (facts == nil) != (tid > CallSlots) {
			t.Fatalf("call %d of %d: facts %v", tid, CallSlots, facts != nil)
		}
	}
	m.Remove(17)
	if m.NewCall(m.Find(CallSlots+1)) == nil {
		t.Error("the room of a task that is gone is not reused")
	}
}
