/**
 * Pairs of proxies of different kinds, of which the first cannot connect to the second. Proxies with the same `kindOf` are
 * alike in all that counts: one stands for all of them.
 */
export function failingPairsOf<Leaf>(
  leaves: Iterable<Leaf>,
  kindOf: (leaf: Leaf) => string,
  mayConnect: (client: Leaf, server: Leaf) => boolean,
): readonly (readonly [client: Leaf, server: Leaf])[] {
  const kinds = new Map<string, Leaf>()
  for (const leaf of leaves) kinds.set(kindOf(leaf), leaf)
  const all = [...kinds.values()]
  return all.flatMap((client) =>
    all.filter((server) => !mayConnect(client, server)).map((server) => [client, server] as const),
  )
}
