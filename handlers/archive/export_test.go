package archive

// OnReached sets what is called between the steps of sealing: written, named (each file), in the folder, listed.
func (s *Sealer) OnReached(reached func(step string)) { s.reached = reached }

// RangeOffsets is how many offsets share an object.
const RangeOffsets = rangeOffsets
