"""The control plane of the edge: Envoy's configuration, computed from what discovery knows and served over ADS."""
