// Command producer is a service that sends an event and needs no router: producer HOST:PORT.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/messages"
)

func main() {
	events := millrace.NewProducer(millrace.ProducerSettings{Brokers: os.Args[1:]})
	order := messages.OrderEvent{OrderID: "ord-1", PatientID: "pat-7", PharmacyID: "ph-3", TotalPrice: messages.NumberOf(42.5), Status: "shipped"}
	position, err := events.Publish(context.Background(), messages.OrderShipped, order)
	if err := errors.Join(err, events.Close()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("partition", position.Partition, "offset", position.Offset)
}
