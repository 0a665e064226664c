package properties

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Machine is where the nodes of a cluster run, all on one loopback.
type Machine struct {
	// Hosts are the containers' host names, in the order of the nodes.
	Hosts []string
	// Port is the first node's for clients, the next one's is one higher; controllers listen 1000 above, brokers for each other 2000 above.
	Port int
	// Data is the directory of this node's log.
	Data string
}

// Local puts the node of this number, from 1, onto the machine: what the settings say of addresses and paths is replaced, and nothing else.
func (m Machine) Local(settings map[string]string, node int) (map[string]string, error) {
	local := maps.Clone(settings)
	local["log.dirs"] = m.Data
	controllers, inside := settings["controller.listener.names"], settings["inter.broker.listener.name"]
	port := func(listener string, node int) int {
		switch listener {
		case controllers:
			return m.Port + 1000 + node - 1
		case inside:
			return m.Port + 2000 + node - 1
		default:
			return m.Port + node - 1
		}
	}
	for _, name := range []string{"listeners", "advertised.listeners"} {
		var addresses []string
		for address := range strings.SplitSeq(settings[name], ",") {
			listener, _, found := strings.Cut(address, "://")
			if !found {
				return nil, fmt.Errorf("%s is %q: want NAME://HOST:PORT,…", name, settings[name])
			}
			addresses = append(addresses, fmt.Sprintf("%s://127.0.0.1:%d", listener, port(listener, node)))
		}
		if repeated := twice(addresses); repeated != "" {
			return nil, fmt.Errorf("%s is %q: two listeners for clients would both be at %s", name, settings[name], repeated)
		}
		local[name] = strings.Join(addresses, ",")
	}
	var voters []string
	for voter := range strings.SplitSeq(settings["controller.quorum.voters"], ",") {
		id, address, _ := strings.Cut(voter, "@")
		host, _, _ := strings.Cut(address, ":")
		at := slices.Index(m.Hosts, host)
		if at < 0 {
			return nil, fmt.Errorf("controller.quorum.voters is %q: %q is no host name of the file's Kafka services", settings["controller.quorum.voters"], host)
		}
		voters = append(voters, fmt.Sprintf("%s@127.0.0.1:%d", id, port(controllers, at+1)))
	}
	local["controller.quorum.voters"] = strings.Join(voters, ",")
	return local, m.foreign(local)
}

// foreign is the error of a setting that still names a container.
func (m Machine) foreign(settings map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		for _, host := range m.Hosts {
			if strings.Contains(settings[name], host+":") {
				return fmt.Errorf("%s is %q: it names the container %q, which is not here", name, settings[name], host)
			}
		}
	}
	return nil
}

// twice is the address that two listeners have; empty when each has its own.
func twice(listeners []string) string {
	seen := map[string]bool{}
	for _, listener := range listeners {
		_, address, _ := strings.Cut(listener, "://")
		if seen[address] {
			return address
		}
		seen[address] = true
	}
	return ""
}
