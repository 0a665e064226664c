package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prantikov/millrace/replay"
	"github.com/prantikov/millrace/store"
)

// replayPlan is the plan as scripts read it.
type replayPlan struct {
	Executed  bool               `json:"executed"`
	Topics    []replay.TopicPlan `json:"topics"`
	Consumers []replayPlanRow    `json:"consumers"`
}

type replayPlanRow struct {
	replay.ConsumerPlan
	// Effects is what the consumer changes: the store, files, something outside, or nothing that the program knows of.
	Effects string `json:"effects"`
	// LeftOut is true for a consumer that takes no part.
	LeftOut bool `json:"leftOut"`
}

// plan prints what a replay would do.
func (j *replayJob) plan(ctx context.Context) error {
	parts, err := j.scope.Parts(ctx, j.reader)
	if err != nil {
		return err
	}
	if err := j.sharePlan(ctx); err != nil {
		return err
	}
	takers := make([]replay.Taker, len(j.takers))
	for i, taker := range j.takers {
		takers[i] = replay.Taker{Name: taker.name, Topics: taker.topics, Share: taker.share}
	}
	line := j.program.progressLine("planning", lengthOf(parts))
	surveyed, err := replay.Survey(ctx, j.reader, parts, j.choice, takers, line.at)
	line.end()
	if err != nil {
		return err
	}
	plan := replayPlan{Topics: surveyed.Topics, Consumers: []replayPlanRow{}}
	for i, taker := range j.takers {
		plan.Consumers = append(plan.Consumers, replayPlanRow{ConsumerPlan: surveyed.Consumers[i], Effects: taker.effects()})
	}
	for _, name := range j.leftOut {
		plan.Consumers = append(plan.Consumers, replayPlanRow{ConsumerPlan: replay.ConsumerPlan{Consumer: name}, Effects: "outside", LeftOut: true})
	}
	return j.program.print(j.options.output, plan, func() error { return j.printPlan(plan) })
}

// sharePlan is shareOut with the store beside whoever writes to it.
func (j *replayJob) sharePlan(ctx context.Context) error {
	shared := false
	if j.stored() {
		err := j.readStore(ctx, func(opened *store.Store) error {
			shared = true
			return j.shareOut(ctx, opened)
		})
		if err != nil {
			return err
		}
	}
	if shared {
		return nil
	}
	return j.shareOut(ctx, nil)
}

func lengthOf(parts []replay.Part) (offsets int64) {
	for _, part := range parts {
		offsets += part.To - part.From
	}
	return offsets
}

func (j *replayJob) printPlan(plan replayPlan) error {
	topics := [][]string{{"TOPIC", "PARTITIONS", "RECORDS", "KEYS", "ACTIONS"}}
	for _, topic := range plan.Topics {
		keys := strconv.FormatInt(topic.Keys, 10)
		if topic.MoreKeys {
			keys = "more than " + keys
		}
		topics = append(topics, []string{topic.Topic, strconv.Itoa(len(topic.Partitions)), strconv.FormatInt(topic.Records, 10), keys, actionsText(topic)})
	}
	consumers := [][]string{{"CONSUMER", "EFFECTS", "TO HANDLE", "DONE ALREADY", "FOR THE LIVE CONSUMER"}}
	for _, row := range plan.Consumers {
		if !row.LeftOut {
			consumers = append(consumers, []string{
				row.Consumer, row.Effects, strconv.FormatInt(row.Apply, 10), strconv.FormatInt(row.Done, 10), strconv.FormatInt(row.Live, 10),
			})
		}
	}
	for _, table := range [][][]string{topics, consumers} {
		if err := j.program.table(table); err != nil {
			return err
		}
		fmt.Fprintln(j.program.out)
	}
	j.tellLeftOut()
	_, err := fmt.Fprintln(j.program.out, "This is a plan, nothing was handled: --execute does it.")
	return err
}

// tellLeftOut says which consumers take no part.
func (j *replayJob) tellLeftOut() {
	for _, name := range j.leftOut {
		fmt.Fprintln(j.program.out, leftOutText(name))
	}
}

func actionsText(topic replay.TopicPlan) string {
	var texts []string
	for _, action := range slices.Sorted(maps.Keys(topic.Actions)) {
		texts = append(texts, fmt.Sprintf("%s %d", action, topic.Actions[action]))
	}
	if topic.Unreadable > 0 {
		texts = append(texts, fmt.Sprintf("unreadable %d", topic.Unreadable))
	}
	return strings.Join(texts, ", ")
}
