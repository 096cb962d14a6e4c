package secl

import (
	"slices"
	"testing"
	"time"
)

func TestStore(t *testing.T) {
	const second = int64(time.Second)
	list := &VariableSpec{Name: "list", Type: TypeString, Array: true, Size: 2, TTL: 10 * time.Second}
	count := &VariableSpec{Name: "count", Type: TypeInt, Default: &Value{Int: 5}}
	flag := &VariableSpec{Name: "flag", Type: TypeBool, TTL: time.Second, Private: true}
	var s Store
	if s.Get(list, 0) != nil {
		t.Error("an unset variable has a value")
	}
	for i, text := range []string{"a", "b", "a", "c"} {
		s.Set(list, Value{Strings: []string{text}}, true, int64(i)*second)
	}
	if got := s.Get(list, 4*second).Strings; !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("list %q: the oldest goes, a repeated one stays", got)
	}
	if got := s.Get(list, 13*second).Strings; !slices.Equal(got, []string{"c"}) {
		t.Errorf("list %q after the first element's time", got)
	}
	s.Set(count, Value{Int: 1}, false, 0)
	s.Set(count, Value{Int: 7}, false, 0)
	if got := s.Get(count, 0).Int; got != 7 {
		t.Errorf("count %d: the last one counts", got)
	}
	s.Set(flag, Value{Bool: true}, false, 0)
	if s.Get(flag, second) == nil || s.Get(flag, second+1) != nil {
		t.Error("a value lives exactly as long as its ttl")
	}
	if visible := s.Visible(); len(visible) != 2 || visible["count"] != int64(7) {
		t.Errorf("visible %v", visible)
	}
	other := &VariableSpec{Name: "count", Type: TypeString}
	if s.Get(other, 0) != nil {
		t.Error("a reload that changes the type reads the old value")
	}
}
