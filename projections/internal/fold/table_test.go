package fold_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

func TestATableIsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var table fold.Table[int]
		table.Reserve(rapid.SampledFrom([]int{0, 3000}).Draw(t, "reserved"))
		want := map[domain.SubjectID]int{}
		for range rapid.IntRange(0, 3000).Draw(t, "acts") {
			// few ids that are random, and some that differ in one place only
			id := foldtest.Subject(rapid.IntRange(0, 5000).Draw(t, "id"))
			i, found := table.Find(id)
			if _, there := want[id]; there != found {
				t.Fatalf("found %t, want %t", found, there)
			}
			if !found {
				i = table.Add(id)
			}
			*table.Edit(i)++
			want[id]++
		}
		if table.Len() != len(want) {
			t.Fatalf("%d rows, want %d", table.Len(), len(want))
		}
		for id, n := range want {
			i, _ := table.Find(id)
			if who, row := table.At(i); who != id || *row != n {
				t.Fatalf("%s: got %d of %s, want %d", id, *row, who, n)
			}
		}
	})
}

func TestCountersForIDsDoNotCrowdTheIndex(t *testing.T) {
	t.Parallel()
	var table fold.Table[int]
	for n := range 100_000 {
		*table.Edit(table.Add(domain.SubjectID{14: byte(n >> 8), 15: byte(n), 13: byte(n >> 16)})) = n
	}
	for n := range 100_000 {
		i, ok := table.Find(domain.SubjectID{14: byte(n >> 8), 15: byte(n), 13: byte(n >> 16)})
		if _, row := table.At(i); !ok || *row != n {
			t.Fatalf("%d: got %d, %t", n, *row, ok)
		}
	}
}

func TestAViewStaysAsItWas(t *testing.T) {
	t.Parallel()
	const people = 3000 // more than two chunks
	var table fold.Table[int]
	for n := range people {
		*table.Edit(table.Add(foldtest.Subject(n))) = n
	}
	first := table.Freeze()
	for n := range people {
		*table.Edit(n) = -1
	}
	second := table.Freeze()
	*table.Edit(table.Add(foldtest.Subject(people))) = people
	*table.Edit(0) = -2
	if first.Len() != people || second.Len() != people {
		t.Fatalf("the views have %d and %d rows", first.Len(), second.Len())
	}
	for n := range people {
		id, before := first.At(n)
		if _, after := second.At(n); id != foldtest.Subject(n) || *before != n || *after != -1 {
			t.Fatalf("row %d of %s: %d in the first view, %d in the second", n, id, *before, *after)
		}
	}
	if _, row := table.At(0); *row != -2 {
		t.Fatalf("the table itself has %d", *row)
	}
}

// So many that some shards of the index get more people than others by far.
func TestAThawedViewIsATableOfItsOwn(t *testing.T) {
	t.Parallel()
	const people = 20_000
	var table fold.Table[int]
	for n := range people {
		*table.Edit(table.Add(foldtest.Subject(n))) = n
	}
	view := table.Freeze()
	*table.Edit(table.Add(foldtest.Subject(people))) = -1
	*table.Edit(5) = -1
	thawed := view.Thaw()
	for n := range people {
		i, ok := thawed.Find(foldtest.Subject(n))
		if _, row := thawed.At(i); !ok || *row != n {
			t.Fatalf("%d: %d, %t", n, *row, ok)
		}
	}
	if _, ok := thawed.Find(foldtest.Subject(people)); ok || thawed.Len() != people {
		t.Errorf("%d people, with who came after it: %t", thawed.Len(), ok)
	}
	*thawed.Edit(thawed.Add(foldtest.Subject(people + 1))) = 7
	*thawed.Edit(6) = 7
	if _, row := view.At(6); *row != 6 || view.Len() != people {
		t.Errorf("the view changed: %d, %d people", *row, view.Len())
	}
	if _, row := table.At(6); *row != 6 || table.Len() != people+1 {
		t.Errorf("the table changed: %d, %d people", *row, table.Len())
	}
}
