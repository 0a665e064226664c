package millrace_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

// Ensure the page for Spring teams has what such a team looks for.
func TestFromSpringHasEveryAnnotationAndClass(t *testing.T) {
	t.Parallel()
	page := readFile(t, "docs/from-spring.md")
	for _, name := range []string{
		"@EnableKafka", "@KafkaListener", "@KafkaHandler", "@RetryableTopic", "@DltHandler", "@TopicPartition", "@Payload", "@Header", "@SendTo", "@EmbeddedKafka",
		"Acknowledgment", "ContainerProperties.AckMode", "ConcurrentKafkaListenerContainerFactory", "DefaultErrorHandler", "DeadLetterPublishingRecoverer",
		"ErrorHandlingDeserializer", "KafkaTemplate", "NewTopic", "KafkaAdmin", "JsonSerializer", "JsonDeserializer", "KafkaTransactionManager",
		"RecordFilterStrategy", "ConsumerAwareRebalanceListener", "RecordInterceptor",
	} {
		if !regexp.MustCompile(`(?m)^\|[^|]*` + regexp.QuoteMeta(name)).MatchString(page) {
			t.Errorf("got no row of %s, want what it is here", name)
		}
	}
}

// Ensure the settings, functions and commands that the page names are there.
func TestFromSpringNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	// The properties above are written from the rules that read them.
	_, page, found := strings.Cut(readFile(t, "docs/from-spring.md"), "## Annotations and classes")
	if !found {
		t.Fatal("got no section of annotations and classes")
	}
	var settings []string
	for _, setting := range config.Registry() {
		settings = append(settings, setting.Path)
	}
	for _, found := range regexp.MustCompile("`((?:kafka|consumers|topics|dead_letters|limits)\\.[a-z_.<>]+)").FindAllStringSubmatch(page, -1) {
		path := regexp.MustCompile(`^(consumers|topics)\.(defaults|orders)\.`).ReplaceAllString(strings.TrimSuffix(found[1], "."), "$1.<name>.")
		if !slices.ContainsFunc(settings, func(one string) bool { return one == path || strings.HasPrefix(one, path+".") }) {
			t.Errorf("got setting %s, want one of the registry", found[1])
		}
	}
	names, commands := exported(t)
	for _, found := range regexp.MustCompile(`\b(router|messages|app|millrace)\.([A-Z]\w+)`).FindAllStringSubmatch(page, -1) {
		if !names[found[1]+"."+found[2]] {
			t.Errorf("got %s.%s, want a name that is there", found[1], found[2])
		}
	}
	for _, found := range regexp.MustCompile(`(?m)(?:^|\x60|=\S+ )millrace ([a-z]+)`).FindAllStringSubmatch(page, -1) {
		if !commands[found[1]] {
			t.Errorf("got command millrace %s, want one that is there", found[1])
		}
	}
}

// exported are the names that a program of somebody's own can use, with the methods of App as app.NAME, and the commands.
func exported(t *testing.T) (names, commands map[string]bool) {
	t.Helper()
	names, commands = map[string]bool{}, map[string]bool{}
	for _, source := range sources(t) {
		if source.isTest() {
			continue
		}
		folder := strings.Replace(source.folder, ".", "millrace", 1)
		for _, declaration := range source.file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if declaration.Recv == nil {
					names[folder+"."+declaration.Name.Name] = true
				} else if source.path == "cmd/app.go" {
					names["app."+declaration.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range declaration.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[folder+"."+spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names[folder+"."+name.Name] = true
						}
					}
				}
			}
		}
		if source.folder == "cmd" {
			for _, found := range regexp.MustCompile(`Use:\s+"([a-z]+)|group\("([a-z]+)"`).FindAllStringSubmatch(readFile(t, source.path), -1) {
				commands[found[1]+found[2]] = true
			}
		}
	}
	return names, commands
}
