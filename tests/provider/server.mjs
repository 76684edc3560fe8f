// A real OpenID Connect provider for the tests: `node server.mjs OPTIONS`, where OPTIONS is JSON with
// port, audience, keys (their names; the first one signs), lifetime (of tokens, in seconds) and
// clients ({id: {scope, roles}}). A client's secret is its id, twice. A key that is new is made and
// kept in the current folder.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { Provider } from 'oidc-provider';

const options = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${options.port}`;
const scopes = new Set(Object.values(options.clients).flatMap(({ scope }) => scope.split(' ').filter(Boolean)));

function privateKey(name) {
  const file = `${name}.jwk`;
  if (!existsSync(file)) {
    const { privateKey: made } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...made.export({ format: 'jwk' }), kid: name, use: 'sig', alg: 'RS256' };
    writeFileSync(file, JSON.stringify(jwk));
  }
  return JSON.parse(readFileSync(file, 'utf-8'));
}

const provider = new Provider(issuer, {
  clients: Object.entries(options.clients).map(([id, { scope }]) => ({
    client_id: id,
    client_secret: id + id,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...(scope ? { scope } : {}),
  })),
  cookies: { keys: ['none is set: nobody signs in here'] },
  extraTokenClaims: (_context, token) => ({ roles: options.clients[token.clientId].roles }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => options.audience,
      getResourceServerInfo: (_context, audience) => ({
        audience,
        scope: [...scopes].join(' '),
        accessTokenFormat: 'jwt',
        accessTokenTTL: options.lifetime,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  jwks: { keys: options.keys.map(privateKey) },
  scopes: [...scopes],
  ttl: { ClientCredentials: options.lifetime },
});

const server = provider.listen(options.port, '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
