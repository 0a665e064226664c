package spring_test

import (
	"strings"
	"testing"

	"github.com/prantikov/millrace/config/spring"
)

func TestPlaceholdersAreFilled(t *testing.T) {
	t.Parallel()
	const text = "host=kafka\nport=9093\nservers=${host}:${port}\napp.item-name=x\nempty=\nlist[0]=a\nlist[1]=b\nring=${rung}\nrung=${ring}\nname=host\nlost=${NOWHERE}\nlong=" +
		"${long2}${long2}${long2}${long2}${long2}${long2}${long2}${long2}\n"
	variables := map[string]string{"KAFKA_HOST": "outside", "PORT": "", "APP_ITEMPRICE": "7", "NESTED": "${host}", "HOME": "/home/me"}
	for template, want := range map[string]string{
		"plain":                 "plain",
		"${host}":               "kafka",
		"${servers}":            "kafka:", // an empty variable is a value, as in Spring
		"${KAFKA_HOST}":         "outside",
		"${kafka.host}":         "outside",
		"${kafka-host}":         "outside",
		"${app.item-price}":     "7",
		"${app.itemName}":       "x",
		"${NESTED}":             "kafka",
		"${X:localhost:9092}":   "localhost:9092",
		"${X:}":                 "",
		"${X:${host}}":          "kafka",
		"${X:${Y:${Z:deep}}}":   "deep",
		"${${name}}":            "kafka",
		"${X:{\"a\":{}}}":       `{"a":{}}`,
		"${empty:full}":         "",
		"${list}":               "a,b",
		"${user.home}/x":        "/home/me/x",
		"a${host}b${host}c":     "akafkabkafkac",
		`\${host} ${host}`:      "${host} kafka",
		"${host":                "${host",
		"$host {host} $${host}": "$host {host} $kafka",
		"${NOWHERE}":            "! ${NOWHERE} has no value",
		"${lost}":               "! ${NOWHERE} in lost, a.properties:11 has no value",
		"${lost:x}":             "! ${NOWHERE} in lost, a.properties:11 has no value",
		"${ring}":               "! ${ring} in rung, a.properties:9 needs its own value",
		"${X:${NOWHERE}}":       "! ${NOWHERE} has no value",
		"${host:${NOWHERE}}":    "kafka",
		strings.Repeat("${x:", 99) + strings.Repeat("}", 99): "! is nested too deep",
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			e, err := read(t, files{"a.properties": text}, spring.Choice{Variables: variables}, "a.properties")
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Resolve(template)
			if err != nil {
				got = "! " + err.Error()
			}
			if got != want && !(strings.HasPrefix(want, "! is") && strings.HasSuffix(got, want[2:])) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Ensure placeholders of placeholders cannot fill the memory.
func TestPlaceholdersDoNotGrowWithoutEnd(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("a0=xxxxxxxxxx\n")
	for i := range 20 {
		name, below := string(rune('a'+i+1)), string(rune('a'+i))
		text.WriteString(name + "0=" + strings.Repeat("${"+below+"0}", 10) + "\n")
	}
	e, err := read(t, files{"a.properties": text.String()}, spring.Choice{}, "a.properties")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Resolve("${u0}"); err == nil || !strings.HasSuffix(err.Error(), "grows beyond 1 MiB") {
		t.Errorf("error: got %v, want that it grows too large", err)
	}
}

func TestWhatPlaceholdersTookIsKnown(t *testing.T) {
	t.Parallel()
	e, err := read(t, files{"a.properties": "shop.orderTopic=x\nother=y"}, spring.Choice{}, "a.properties")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Resolve("${shop.order-topic}"); err != nil {
		t.Fatal(err)
	}
	if !e.Used(spring.Uniform("shop.order-topic")) || e.Used("other") {
		t.Error("used: got something else, want shop.order-topic alone")
	}
}

func TestVariablesSetProperties(t *testing.T) {
	t.Parallel()
	source := spring.Variables(map[string]string{
		"SPRING_KAFKA_BOOTSTRAP_SERVERS": "a:1", "SPRING_KAFKA_CLIENTID": "me", "SPRING_KAFKA_PROPERTIES_SECURITY_PROTOCOL": "SSL",
		"SPRING_KAFKA_CONSUMER_BOOTSTRAPSERVERS_1_": "y:1", "SPRING_KAFKA_CONSUMER_BOOTSTRAPSERVERS_0_": "x:1", "KAFKA_TOPIC_ORDER": "o", "PATH": "/bin",
		"SPRING_DATASOURCE_URL": "jdbc", "spring.kafka.producer.acks": "all",
	}, []string{"spring.kafka.bootstrap-servers", "spring.kafka.client-id", "spring.kafka.properties.security.protocol",
		"spring.kafka.consumer.bootstrap-servers", "kafka.topic.order", "spring.kafka.producer.acks"})
	got := map[string]string{}
	for _, property := range source.Properties {
		got[property.Name] = property.Text()
		if property.Variable == "" || property.At() != property.Variable {
			t.Errorf("%s: got it at %q, want the variable", property.Name, property.At())
		}
	}
	for name, want := range map[string]string{"spring.kafka.bootstrap-servers": "a:1", "spring.kafka.client-id": "me", "spring.kafka.properties.security.protocol": "SSL",
		"spring.kafka.consumer.bootstrap-servers": "x:1,y:1", "kafka.topic.order": "o", "spring.datasource.url": "jdbc", "spring.kafka.producer.acks": "all"} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 7 {
		t.Errorf("properties: got %v, want seven", got)
	}
}

func TestPropertiesAsJSON(t *testing.T) {
	t.Parallel()
	source, err := spring.JSON(`{"spring":{"kafka":{"bootstrap-servers":["a:1","b:1"]}},"x.y":1}`)
	if err != nil {
		t.Fatal(err)
	}
	property, _ := source.Find(spring.Uniform("spring.kafka.bootstrapServers"))
	if property.Text() != "a:1,b:1" || property.At() != spring.JSONVariable {
		t.Errorf("got %+v, want both brokers from the variable", property)
	}
	if _, err := spring.JSON(`{"secret`); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error: got %v, want one without the text", err)
	}
}
