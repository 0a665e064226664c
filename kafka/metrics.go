package kafka

import "github.com/rcrowley/go-metrics"

// noMetrics is a registry that keeps nothing. Sarama's metrics have no lag, cost a lock for each request and a goroutine for each process;
// metrics.UseNilMetrics would switch them off as well, but for everybody in the process.
type noMetrics struct{}

var _ metrics.Registry = noMetrics{}

// GetOrRegister returns a metric of the asked kind that measures nothing.
func (noMetrics) GetOrRegister(_ string, metric any) any {
	switch metric.(type) {
	case func() metrics.Meter, metrics.Meter:
		return metrics.NilMeter{}
	case func() metrics.Histogram, metrics.Histogram:
		return metrics.NilHistogram{}
	case func() metrics.Counter, metrics.Counter:
		return metrics.NilCounter{}
	default:
		return metric
	}
}

func (noMetrics) Each(func(string, any))            {}
func (noMetrics) Get(string) any                    { return nil }
func (noMetrics) GetAll() map[string]map[string]any { return nil }
func (noMetrics) Register(string, any) error        { return nil }
func (noMetrics) RunHealthchecks()                  {}
func (noMetrics) Unregister(string)                 {}
func (noMetrics) UnregisterAll()                    {}
