"""Stored values as the first release wrote them, under keys that nobody else has. They have to open for ever.

All are as they lie in the database and in the spool; ids are small numbers. Whoever changes how something is sealed
adds values here, and takes none away.
"""

import base64
import uuid

FERNET_KEY = "an outer key of the year in which this began"
KEK = "golden:" + base64.b64encode(bytes(range(32))).decode()

(
    TENANT_ID,
    CONNECTION_ID,
    VERSION_ID,
    SESSION_ID,
    APP_ID,
    SHARED_APP_ID,
    TENANT_KEY_ID,
    OPERATOR_KEY_ID,
    GRANT_ID,
    PARENT_ID,
    ATTEMPT_ID,
) = (uuid.UUID(int=number) for number in range(1, 12))

# Wrapped data keys, base64.
TENANT_KEY = "ik0US/2cTs6VR5xwjSxp7XE6wMDK3DK5TUaIFjNp1ckUbF6yvzJJSn4o2dJz+8iyb7JI6/EE87EDkTi+"
OPERATOR_KEY = "8b0L2zakqfopFSgFLYoc4fMkVwbnOKZn3Mgkq3tns1z4vdnxtiRO43sIwhJrlRSWMWJZKGZ1f4fNdpKV"

# Columns.
CREDENTIAL = (
    "gAAAAABrC6rc8AGS3QSC6M0MCjhAa3-fBtELKrclP07EiQ4Y-7Q6aAIx7VCASAUJ4_hsgIJtSTvDT71biwrZiNISMM5DX6AkkqmX"
    "8m2UG3xzImsPmb97dLBM5JIW8Eoz81urxeOOnR9uoo4jRuQeWEzTH6REb-Rl9FS5iKj4M8j6IfiKA-RHi5DpM80Etl5F7w5gv_Y0"
    "ZNYS-pcCfxhwwekZe6e5sgnmPWfyGrV1YhnxuA0jklfeSk7bQFhCaJbQazK7m66hxKjs4mN6kMloZvt1hSSvo8iB89zJYzm7y17q"
    "-miDnULOSHGZrcgRn88Il0Bt6WCuteTAt5oUNvtAuijXiVgrVg8csR6sbq8m5t2QSztE_cHeJbM1UtMjGXjbPcgdcMFDGnZiOIwF"
    "dfZufVaoeXn_Lb-xfA=="
)
HELD = (
    "gAAAAABrC6rcENf1z5MQvY10yQVKigmM29lKklTSdre2LGvza7v0NeO5ejYmCHL8httzQ7rz25zHL_-f0YZxE0F8WT2L1Cw_NlfM"
    "sc6ihITj7904dzBD_0VgRCBgGIVZhrpnKsqoBCI5AU7JHLV-oVCGZrCI-kjhSA=="
)
CODE_VERIFIER = (
    "gAAAAABrC6rcHoUPlIp8bmGNM8J6a7TBbSoyi8vfn-KWOsee5tTcNF2KZ7ZXUYNq5a4Qm6JrmUriU3VqRYmpjZZf6efn1Vq8uRGm"
    "k-r97_mi3hRHlkNFZ8TXEv7JUKzldZPmmIL8EyVPlc3S62MF9B3OU8fUNiK3ng=="
)
CLIENT_SECRETS = (
    "gAAAAABrC6rc_hQF2zTRPLrQNPYosw1XJO8ZOkWGKzqRCRKhHm0oBC8KEhMC4cY-ewzlJsPa5RZ4sS0SKZyUQEo2QWmg5aq4ZH3M"
    "3iTVLG6dQoC9kXccLZU6X_vO8LpwJYFUL76s_Fu31fq7QMhzauTVChvNnBDQtIsUUHTDDnvM5I0_1muO8KIxIguiIVwAwsHyFps2"
    "yn8VwxwxA2H5H3FSIA_lE1NhlRsVOozwhrXX0t9lW2VyNtM="
)
SHARED_CLIENT_SECRETS = (
    "gAAAAABrC6rchVBXNw_pjrHhIop1s9p_H4EWtCRh-_gXCB17_M3UafT62efP3lo5eR5P0iH4StTVujYjzOabz7ZPtfRc_LJzBsig"
    "W1yHc9R1YrO8bzCHQCQgXOFHwpj5m7VZtrQb5Ay6wWFiBNEucxmmkod-RIH5kIfiECwAlRR1yWCXxJzkncELSnDM0DzbAW6Wu6ZM"
    "f8H3StiO18lJo74oWwQNIt_B1A=="
)

# A file of the spool, and the fingerprint of the access token in it, base64.
SPOOLED = (
    "gAAAAABrC6rcl--VqMKEVXVz9jqdPRhcFaHADd0H5KZQ1mtoKjdy0SUU7D-ojM2QZUy2m_-HW7BcUFYXE5Q32mggfvsEdFrHcvT7"
    "jz0w-Jx3mdvTHVbaxyMCsRK9duCw5j9cz3PyOUT0I8ZxtKIlvAnAxWPPBTPuKshqnzuXVwyR1EesubNw_LBGeb6rZs-Nz0-TpbHP"
    "WIXxu5nNXgX-4pTYW1VVhYPBoGrHmMln-k4jG-uyN4Psm4lUDc9TWDYFyXeIUr4jqVB1f-V_-poxBxoQpLCAnvtqOdENPKoFjAQu"
    "RUPicCSSEOGRBSGP96P7cR1Kw9XOp2GlAQuIrlyOLCSSadrr9jcMAwZCkx5YHYfJTTfcDl8FTsCBc1qqJvmqKGB7WUGdJwV7i6D9"
    "7KpVXfJgnc4Ni7zQpKP3FXwy0H2DX-8nPI4UowHCMHpc1LdgKnX_QSp6xx_fgPG_tGxDuMiQjvLMN0VJUJJ7sGQzrhvegEYZmHF7"
    "npVztqk0lLeybf46XyMR88hHgCf_Lll8Aw4LYz7CLJzL8zwhDka6q4R_lQdL-0_xjH3hYHa1ikWHRtPJI767h0rSSVaWfTV9hYFs"
    "VaAkeP-8wI21KGTldGmLaDAy9e_RClhvzja9jJIx9RfAZHOep8rnHFk47CTnV8h7QQT75S4M_fYmswBwETIqlhpmNeYVrLSsXeQB"
    "cgVRPWVw_E-y3UtdQv0g1bdODeVS1HMB1JkCRSva6dV0-2sw1XMh49sKnK4Q4MI4LBYFnagCpyfyHLpCaKPDTgmdovMZCMMa4W48"
    "9Z6sbmCXyNLnmE1VtiIgLkJfW6lWF-J7v90U4bLpbcoNHW4tI26Ir61ZJki_WOFK0EDjNxZm3lFJKdHgaFNCaMAwHPJ9Tev6D_wH"
    "ljmInpY4iynUXl_xRCbk1Evv9z0EZsybHrsN9FSBuMsGgAIYWHdWA6zRXcNI2Dbq0oCPDvlbJ0cMlWkpnpSU0iWtHxWSJO6EX9gv"
    "KZDSDDEQop2mVL_EJhzrbZHTao3vp8-8Z5ZRtr7vEHWMHDoYwJljYtF7_5mxaE2DN1B0pZn-V-AFY3-8JrAL9agLr9gh9YI4785x"
    "4nZbxhmKkWWV4A8zpdbTUmQBi24DnMk-C89QhM57jyRkdzzt3HDqMkSorlUHxPwAzcC4ejWJerBhh6VP7B-_6MucOEAxyjCYqdH1"
    "1gL-HtvG9F_OaTdWrEyD3_3fg5pYl_7rQFaBvLlymmAutsXLZvb2aIvlnvEOVhxkaF9pZyE="
)
FINGERPRINT = "D3zDuuD+zFxWME4QNsF4Rw=="

# Who gives credentials at the sandbox, and who its client secrets are for, as they are sealed beside them.
GRANTOR = (
    '{"issuer":"http://127.0.0.1:9","params":{"issuer":"http://127.0.0.1:9"},'
    '"token_endpoint":"http://127.0.0.1:9/token"}'
)
REGISTRAR = (
    '{"issuer":"http://127.0.0.1:9","params":{"client_id":"client","issuer":"http://127.0.0.1:9"},'
    '"token_endpoint":"http://127.0.0.1:9/token"}'
)
