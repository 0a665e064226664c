package deadletter

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/prantikov/millrace/record"
)

// Returning is a dead letter that can go back to its consumer.
type Returning struct {
	Entry   Entry
	Home    Home
	redrive record.Redrive
}

// Key is the record's key; it may name a patient.
func (l Returning) Key() string { return string(l.redrive.Original.Key) }

// Plan is which of the chosen letters go back, in the order in which they will: by consumer, then in the order of the log in which each
// consumer met them.
type Plan struct {
	Returning []Returning
	// Stay counts chosen letters that do not go, by why.
	Stay map[Stay]int
}

// Stay is why a letter does not go back.
type Stay string

const (
	// StayForeign is a letter that another program wrote than Millrace or Spring Kafka: it is that program's to handle.
	StayForeign Stay = "written by a program whose letters are not known"
	// StayNameless is one of Spring Kafka's that does not say whose it is.
	StayNameless Stay = "the consumer that gave it up is not in its headers: name it with --consumer"
	// StayHomeless is one whose consumer this binary does not have.
	StayHomeless Stay = "no consumer of this program gave it up"
	// StayOff is one whose consumer takes nothing under these settings.
	StayOff Stay = "its consumer is not enabled"
	// StayElsewhere is one of a topic that its consumer does not take, or no longer.
	StayElsewhere Stay = "its consumer does not take its topic"
	// StaySent is one that has gone back and is not finished.
	StaySent Stay = "already sent"
	// StayDone is one that has gone back and was handled.
	StayDone Stay = "already done"
	// StayAgain is one that has gone back and was given up again.
	StayAgain Stay = "dead again: its newer letter stands for it"
)

// Stays are all reasons to stay, in their order.
func Stays() []Stay {
	return []Stay{StayForeign, StayNameless, StayHomeless, StayOff, StayElsewhere, StaySent, StayDone, StayAgain}
}

// Plan chooses the letters that fit the filter, or those at the positions where there are any, and says of each whether it goes back. It is
// what it is for as long as nobody else gives letters back. A letter that does not say whose it is goes to the filter's consumer, where that takes
// its topic; one that was asked for by its position is an error without it.
func (b *Browser) Plan(ctx context.Context, f Filter, at []record.Position) (Plan, error) {
	plan := Plan{Stay: map[Stay]int{}}
	missing := map[record.Position]bool{}
	for _, position := range at {
		missing[position] = true
	}
	var nameless []record.Position
	err := b.each(ctx, func(e Entry, r *record.Record) {
		if len(at) > 0 && !missing[e.Position] || !f.fitsAs(e, r) {
			return
		}
		delete(missing, e.Position)
		if plan.add(b, f.Consumer, e, r) == StayNameless {
			nameless = append(nameless, e.Position)
		}
	})
	if err != nil {
		return plan, err
	}
	for _, position := range at {
		if missing[position] {
			return plan, fmt.Errorf("planning a redrive: there is no dead letter at %q that fits", position.String())
		}
	}
	if len(at) > 0 && len(nameless) > 0 {
		return plan, fmt.Errorf("planning a redrive: dead letter %q does not say which consumer gave it up: name that with --consumer", nameless[0].String())
	}
	slices.SortStableFunc(plan.Returning, func(a, b Returning) int {
		from, to := a.redrive.Original.Position, b.redrive.Original.Position
		return cmp.Or(cmp.Compare(a.Home.Consumer, b.Home.Consumer), cmp.Compare(from.Topic, to.Topic),
			cmp.Compare(from.Partition, to.Partition), cmp.Compare(from.Offset, to.Offset))
	})
	return plan, nil
}

// fitsAs is fits for a plan: a letter that does not say whose it is fits whatever consumer is asked for.
func (f Filter) fitsAs(e Entry, r *record.Record) bool {
	if e.nameless() {
		f.Consumer = ""
	}
	return f.fits(e, r)
}

// add puts one letter where it belongs, and says why when it stays. Consumer is whose a letter is that does not say it; empty for nobody's.
func (p *Plan) add(b *Browser, consumer string, e Entry, r *record.Record) (why Stay) {
	home, why := b.goesTo(e, consumer)
	if why == "" {
		why = before(e.State)
	}
	if why == "" {
		back, placed := comingBack(r, home.takes)
		if placed {
			p.Returning = append(p.Returning, Returning{Entry: e, Home: home, redrive: back})
			return ""
		}
		why = StayElsewhere
	}
	p.Stay[why]++
	return why
}

// goesTo is where a letter goes, or why it stays.
func (b *Browser) goesTo(e Entry, consumer string) (home Home, why Stay) {
	known := false
	switch {
	case e.Family != FamilyMillrace && !e.spring():
		return home, StayForeign
	case e.nameless() && consumer == "":
		return home, StayNameless
	case e.nameless():
		home, known = b.named(consumer)
	default:
		home, known = b.homeOf(e)
	}
	switch {
	case !known:
		return home, StayHomeless
	case len(home.Takes) == 0:
		return home, StayOff
	}
	return home, ""
}

// before is why a letter stays that has gone back before.
func before(state State) Stay {
	switch state {
	case StateSent:
		return StaySent
	case StateDone:
		return StayDone
	case StateDeadAgain:
		return StayAgain
	default:
		return ""
	}
}
