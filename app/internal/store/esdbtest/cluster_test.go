package esdbtest_test

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Nodes: 3})
	s.Lead(1)
	for name, url := range map[string]string{"seeds": s.ClusterURL(), "discover": s.DiscoverURL()} {
		c := connect(t, url) // finds the leader
		mustAppend(t, c, name, esdb.NoStream{}, event("A"))
		follower := connect(t, url+"&nodePreference=follower")
		wantRevisions(t, follower, name, esdb.ReadStreamOptions{}, 1, 0)
	}
	one := connect(t, s.URL()) // node 0, a follower
	wantRevisions(t, one, "seeds", esdb.ReadStreamOptions{}, 1, 0)
	_, err := tryAppend(t, one, "seeds", esdb.Revision(0), event("A"))
	wantCode(t, err, esdb.ErrorCodeNotLeader)
	_, err = one.DeleteStream(t.Context(), "seeds", esdb.DeleteStreamOptions{}) // the client has gone to the leader by now
	if err != nil {
		t.Error(err)
	}

	c := connect(t, s.ClusterURL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	s.Lead(2)
	e := event("A")
	_, err = tryAppend(t, c, "one", esdb.Revision(0), e)
	wantCode(t, err, esdb.ErrorCodeNotLeader)
	mustAppend(t, c, "one", esdb.Revision(0), e)
	s.StopNode(2)
	s.Lead(0)
	eventually(t, "led by another", func() bool {
		_, err := tryAppend(t, c, "one", esdb.Revision(1), event("A"))
		return err == nil
	})
	s.StartNode(2)
	s.Lead(2)
	mustAppend(t, connect(t, s.ClusterURL()), "one", esdb.Revision(2), event("A"))
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{}, 10, 0, 1, 2, 3)
}

func TestNotLeader(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	s.NotLeader(2)
	for range 2 {
		_, err := tryAppend(t, c, "one", esdb.NoStream{}, event("A"))
		wantCode(t, err, esdb.ErrorCodeNotLeader)
	}
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
}
