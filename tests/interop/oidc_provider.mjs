// oidc-provider on 127.0.0.1, with its own login and consent pages.
//
//   node oidc_provider.mjs PORT [ACCESS_TOKEN_LIFETIME_IN_SECONDS]
//
// The environment variable OIDC_CLIENTS holds the clients, a JSON list of client metadata. The
// one line on stdout is the issuer's URL, once it listens; it ends when its stdin does.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";

import Provider from "oidc-provider";

const [port, accessTokenLifetime = "3600"] = process.argv.slice(2);
const clients = JSON.parse(process.env.OIDC_CLIENTS ?? "[]");
const hour = 60 * 60;

// It gives its notices by console.info, which writes to stdout.
console.info = console.warn;

const server = createServer();

server.listen(Number(port), "127.0.0.1", async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    clientDefaults: { grant_types: ["authorization_code", "refresh_token"] },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => true,
    pkce: { required: () => false },
    rotateRefreshToken: true,
    scopes: ["openid", "offline_access", "account"],
    ttl: {
      AccessToken: Number(accessTokenLifetime),
      Grant: hour,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: hour,
      Session: hour,
    },
  });
  // It looks at a client's metadata when it first meets the client: wrong ones end it here.
  for (const { client_id } of clients) await provider.Client.find(client_id);
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});

process.stdin.resume().on("end", () => process.exit());
