/** Which endpoints there are, as the server's AsyncAPI document says. It touches no DOM. */

/**
 * `known` endpoints, { path, about, sample }, and one for each channel of the document: in its order, with what is known
 * of a path and the document does not say. What has no channel, since it is for GET, comes last.
 */
export function mergeEndpoints(known, document) {
  const channels = Object.values(document?.channels ?? {}).filter(({ address }) => typeof address === 'string' && address.startsWith('/'));
  const described = channels.map(channel => describe(channel, known));
  const paths = new Set(described.map(({ path }) => pathname(path)));
  return [...described, ...known.filter(({ path }) => !paths.has(pathname(path)))];
}

function describe({ address, title, summary, description }, known) {
  const before = known.find(({ path }) => pathname(path) === pathname(address));
  return {
    path: address.includes('?') ? address : before?.path ?? address,
    about: [summary, title, description, before?.about].find(text => typeof text === 'string') ?? '',
    sample: before?.sample ?? '',
  };
}

const pathname = path => path.split('?', 1)[0];
