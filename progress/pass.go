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

// Known takes note of the next record of the log where it is finished already, or nobody wants it: it is not handed over. It says whether that
// was news: not for one that was delivered before, or finished by a former owner.
func (p *Partition) Known(offset int64) bool {
	if offset < p.next {
		return false
	}
	news := !p.restored.Contains(offset)
	p.next = offset + 1
	p.restored.Trim(p.next)
	if p.head == len(p.window) {
		p.frontier = p.next
		return news
	}
	if p.window[len(p.window)-1].state != finished {
		p.runs++
	}
	p.window = append(p.window, entry{offset: offset, state: finished})
	return news
}
