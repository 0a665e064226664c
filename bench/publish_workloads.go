package main

import "fmt"

// publishCalls is 100,000 records from one goroutine, so many in a call.
func publishCalls(call int) workload {
	cells := publishingCells(publishing{Records: 100_000, Call: call, Goroutines: 1})
	b := atLeast("× throughput of watermill-kafka", 8, rateRatio(of(peerMillrace), of(peerWatermill)))
	if call > 100 {
		b = atLeast("× throughput of raw asynchronous sarama with the same settings", .6, rateRatio(of(peerMillrace), of(peerSarama)))
	}
	return workload{
		name: fmt.Sprintf("publish-%d", call), about: fmt.Sprintf("100,000 records from one goroutine in calls of %d; sarama and franz-go stream", call),
		distribution: roundRobin, cells: cells, bars: []bar{b},
	}
}

// publishSingly is 100,000 records one by one from 64 goroutines.
func publishSingly() workload {
	return workload{
		name: "publish-64x1", about: "100,000 records one by one from 64 goroutines; sarama and franz-go stream", distribution: roundRobin,
		cells: publishingCells(publishing{Records: 100_000, Call: 1, Goroutines: 64}),
		bars:  []bar{atLeast("× throughput of watermill-kafka", 1.3, rateRatio(of(peerMillrace), of(peerWatermill)))},
	}
}

func publishingCells(p publishing) []cell {
	return consuming(task{Publish: &p}, peerMillrace, peerSarama, peerWatermill, peerFranz)
}
