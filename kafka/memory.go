package kafka

import "sync"

// defaultMemory is what a process keeps of records at once when nobody says otherwise, in bytes.
const defaultMemory = 256 << 20

// Memory is one budget of bytes, divided over the partitions that the subscribers of a process own. It is safe for concurrent use.
type Memory struct {
	budget int64

	mu sync.Mutex
	// told is how many partitions there will be, as the process said; expected counts those of all topics of all subscribers that have
	// connected, owned those that they own.
	told, expected, owned int
}

// NewMemory returns a budget (kafka.memory). Zero or less means 256 MiB.
func NewMemory(budget int64) *Memory {
	if budget <= 0 {
		budget = defaultMemory
	}
	return &Memory{budget: budget}
}

// Half of a partition's share is for records that were taken and are not finished, the rest for what the client has fetched ahead:
// fetchShare of it for one answer, because what is compressed there grows when it is read.
const (
	windowShare = 2
	fetchShare  = 64
	leastFetch  = 64 << 10
)

// perPartition is how many bytes of records one partition may have taken and not finished.
func (m *Memory) perPartition() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.budget / windowShare / int64(max(m.owned, 1))
}

// perFetch is how many bytes one fetch may ask of a partition, at most as many as wanted.
func (m *Memory) perFetch(wanted int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	share := m.budget / fetchShare / int64(max(m.told, m.expected, m.owned, 1))
	return int(min(max(share, leastFetch), int64(wanted)))
}

// Expect says how many partitions all subscribers will have together, so that the first to connect does not take what the others need.
func (m *Memory) Expect(partitions int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = partitions
}

func (m *Memory) expect(partitions int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expected += partitions
}

func (m *Memory) own(partitions int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owned += partitions
}
