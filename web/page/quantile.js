// Quantiles of a histogram with classic buckets.

/**
 * As Prometheus' histogram_quantile: linear within a bucket, and the last finite edge for what is above it.
 * `null` where nothing was counted.
 * @param {number} q from 0 to 1
 * @param {readonly number[]} edges upper edges, ascending, the last one infinite
 * @param {readonly number[]} counts how many are at or below each edge
 * @returns {number | null}
 */
export function quantile(q, edges, counts) {
  const last = edges.length - 1;
  const total = counts[last];
  if (last < 1 || !(total > 0)) return null;
  const rank = q * total;
  const bucket = counts.findIndex((count) => count >= rank);
  if (bucket >= last) return edges[last - 1];
  const [from, below] = bucket === 0 ? [0, 0] : [edges[bucket - 1], counts[bucket - 1]];
  const inside = counts[bucket] - below;
  return inside === 0 ? edges[bucket] : from + ((edges[bucket] - from) * (rank - below)) / inside;
}
