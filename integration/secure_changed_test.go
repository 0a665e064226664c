//go:build unix && kafka_secure

package integration_test

import (
	"context"
	"maps"
	"slices"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// testRightsOnTopics wants exactly the rights that are printed for topics of others, and for adding partitions.
func testRightsOnTopics(t *testing.T, k *secured) {
	p := newPlatform(t, k.broker, k.plain(t))
	alone := settings{}
	for consumer := range maps.Keys(p.groups) {
		alone[consumer] = settings{"enabled": consumer == "orders"}
	}
	p.rewrite(t, settings{"consumers": alone})
	k.give(t, p.rights(t)...)
	p.provision(t)
	k.take(t, p.rights(t)...)

	t.Run("of others", func(t *testing.T) {
		p.rewrite(t, settings{"topics": settings{"defaults": settings{"manage": "off"}}})
		defer p.rewrite(t, settings{"topics": settings{"defaults": settings{"manage": "on"}}})
		rights := p.rights(t)
		if slices.ContainsFunc(rights, func(one right) bool { return one.Operation == "Create" || one.Operation == "Alter" }) {
			t.Errorf("got %v, want nothing of theirs created or altered", rights)
		}
		k.give(t, rights...)
		defer k.take(t, rights...)
		p.produce(t, p.load().bad(&journeys[2], "ord-1", journeys[2].steps[0], 0))
		p.execute(t, "run", "--exit-at-end").ends(0)
		p.execute(t, "topics", "plan").ends(0)
		missing := right{Principal: rights[0].Principal, Resource: "Topic", Name: p.topics["order-events"], Operation: "DescribeConfigs"}
		k.take(t, missing)
		defer k.give(t, missing)
		p.start(t, "run", "--exit-at-end").failsInOneSentence(missing.String(), "millrace acls")
	})
	t.Run("partitions", func(t *testing.T) {
		p.rewrite(t, settings{"topics": settings{"defaults": settings{"partitions": 4}}})
		rights := p.rights(t, "--for", "partitions")
		missing := right{Principal: rights[0].Principal, Resource: "Topic", Name: p.topics["order-events"], Operation: "Alter"}
		if !slices.Contains(rights, missing) {
			t.Fatalf("got %v, want %s", rights, missing)
		}
		var fewer []right
		for _, one := range rights {
			if one.Operation == "Alter" {
				one.Operation = "Describe"
			}
			fewer = append(fewer, one)
		}
		k.give(t, fewer...)
		p.start(t, "topics", "apply", "--add-partitions").ends(1)
		k.take(t, fewer...)
		k.give(t, rights...)
		p.execute(t, "topics", "apply", "--add-partitions").ends(0)
		k.take(t, rights...)
	})
}

// testChangedPassword changes the password of a program that runs, at the brokers and in its file, and breaks its connections: it goes on without
// a restart.
func testChangedPassword(t *testing.T, k *secured) {
	const fresh = "another-secret"
	file := writeFile(t, userPassword)
	p := newPlatform(t, k.broker, k.over(k.login, "SASL_SSL", k.encrypted(), settings{"mechanism": "SCRAM-SHA-256", "username": "scram256", "password_file": file}))
	k.give(t, p.rights(t, "--for", "run,topics")...)
	p.provision(t)
	run := p.start(t, "run")
	run.http()
	made := p.load()
	for range 60 {
		p.produce(t, made.next())
	}
	eventually(t, "everything is done", func() bool { return p.through(t) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	changed, err := k.admin(t).AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "scram256", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: fresh}})
	if err == nil {
		err = changed.Error()
	}
	if err != nil {
		t.Fatalf("changing the password: %v", err)
	}
	writeTo(t, file, fresh)
	k.stop()
	k.run(t)
	for range 60 {
		p.produce(t, made.next())
	}
	eventually(t, "everything is done with the new password", func() bool { return p.through(t) || !run.running() })
	eventually(t, "no alarm is left", func() bool { return noAlarms(t, p) || !run.running() })
	run.signal(syscall.SIGTERM)
	run.ends(0)
}
