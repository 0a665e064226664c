package progress

// Pass takes note that the offsets before to are passed without being delivered. Records that were delivered before still count: the
// frontier stays at the first of them that is not finished, and moves to to once all are.
func (p *Partition) Pass(to int64) {
	if to <= p.next {
		return
	}
	p.next = to
	p.restored.Trim(p.next)
	if p.head == len(p.window) {
		p.frontier = p.next
	}
}
