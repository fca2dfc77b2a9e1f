"""Verifies a license key with jwcrypto: {"key", "jwks"} on the input, header and claims on the output.

Exit 0: genuine. 1: refused. Anything else: this script failed.
"""

import json
import sys

from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS

asked = json.load(sys.stdin)
keys = JWKSet.from_json(json.dumps(asked["jwks"]))
token = JWS()
token.allowed_algs = ["EdDSA", "ES256"]
try:
    token.deserialize(asked["key"])
    kid = json.loads(token.objects["protected"]).get("kid")
    key = keys.get_key(kid)
    if key is None:
        sys.exit(1)
    token.verify(key)
except (JWException, ValueError) as refusal:
    print(refusal, file=sys.stderr)
    sys.exit(1)
if token.jose_header.get("typ") != "license+jwt":
    sys.exit(1)
json.dump({"header": token.jose_header, "claims": json.loads(token.payload)}, sys.stdout)
