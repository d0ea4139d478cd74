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
TENANT_KEY = "TJdlR+KRFtsAYSDd9ZfbrEPvcix3KMKUOXOgx0V+fTnCH7RIbrXV6mZ76EtiDuaM64Ro08nMe8FW32J9"
OPERATOR_KEY = "7l7efKs3cVNJRs1qMernGUYUfk+/llZufJ4lEsvpes9Prl243spRSOMF+sCDXuL88P144Ady+velxBw9"

# Columns.
CREDENTIAL = (
    "gAAAAABrC6ckHKmuvsiBKMX3t7ZrJQhq2z8CuUxr5js-CC8lutS9YVMYQTb01ZANNiJzZBBkUe-4Ye518-MZ7QnkIRJjXW_6nO9N"
    "CHhl4_kIlwQwTFYZEcaQNXVrJ2Osw3g3tDMgjiHa6qV0-0ySQd8tspmkGsmuK0-UagUidX6ZGfE1WseQyPmISu3cWOtjcPKfTeYO"
    "AN7e1GmMML_w-RDpTTp39fGklK8mdB_mz0e_ctDgiqdTVKsyLxJ7HiW-1ozP9MBqVxe8NAjBQnT4XrCTl8Vee6mMl0xXZX6LuLO1"
    "F-90jZErvNdKYWWyOB0XsIOQbLpAIhy51C6SegTvJVCnc5QNuIq8wg=="
)
HELD = (
    "gAAAAABrC6ck3KlmaXCDZasQNZpA2gf3IAU46G4UX08RMmEhdUpT1SoHxM4U57LSDN6tX-ijXQsmkeqnU46aKC3ZPyvo_ii4LM8O"
    "GaxiGKzNmV6abKhz-UGg_EDKlpkNHbijZ4NKvorVVBf6Ri5P3E4fUKeuXghIOA=="
)
CODE_VERIFIER = (
    "gAAAAABrC6ck4sEM6_d9uxPznoL5WKRSJEQyejulaQ0kcCCUN9nQYz7zd2-hpaS4Glat-zea7kshGC4Pb6Vgo2bYU5IIbsaIw8vI"
    "RFs6WAcbHGIj5PJfpypEyiDLdqi3D_RNkL0WrYzOXqi-aOrJ4s5ZoerfjWX-Hw=="
)
CLIENT_SECRETS = (
    "gAAAAABrC6ckVzLEizQChgMwJk2Z7-VEQ_GPz7c_SFLBu4be00WBGNkZ3rxYSE5_YuxK7aelX45AC-fZ1mwKKP1hWQqFJDRKQM_J"
    "ouLgYuyYP8XJlUpmjbAVy_uJHP2-G9yYUtD5FxHGg2BtJ90iTd_UvfKDCpzegw=="
)
SHARED_CLIENT_SECRETS = (
    "gAAAAABrC6cklGY0dSz7d05UUbr-BgGBlnLmxRtGB11N4BIExxRtJMjbUwXsW0xlcqf2UJSwKxFzxBX4_kyM0ojzbuknjnytejG5"
    "6Dh_smPct2_QCcUcE5sTXP--R2Rp3mVFbmYmdKBJj3ZCxWS0wWewhEVyzaRjOA=="
)

# A file of the spool, and the fingerprint of the access token in it, base64.
SPOOLED = (
    "gAAAAABrC6ckakwnvaAHi5e3y_i94JauFREcdDGMYTCP7fmTht6sXTVgz_p54umX2c_7jXxQuuXhrxZPCxbOQ9dickCk3I3uNsag"
    "-KDzOhAsz16gKiej8kOm8YXflmqUw3zd7shMwQViX3aaT0SXgoxl00QCK7Sgb-HEp0FgsZaV_7QyIAWrZyGFvLEHrLTD3ZHLNunL"
    "m1jdIloMkKzk_6g-pOQrk29c5dtq83SyT6Ceic66_Hck6jjmxQBIdtcsyIHilaBc6gdJI2KKYxqQtFUycQQnG-RA_5Sr-dwPxw2c"
    "wvYXli7cWC56nrixK7Nxhx-pgY-t1zCQQx3fWumt0nIC1cqZqNYVSHvFjl839XhnOGOLBcN6biNALcSj36N_befnuwPMtMs6B-ms"
    "2irpnv3HkXSD2f_rrK-72oHDnbiF9Ybw3bUmG7OMawBPGRNRjqOGBduAzjjqtxrDvYG-xhtEghtr79yNNP7GhFvNXYLcx2Bmxnv0"
    "k204kfQzMBASvtwgnkxO4kbEYA6uQon24Fr68uQC-9Kc_V8IluEO5PIAZCjugJLtjExRsX4VpoSwmsSBl2CX3XozTQ8eYWRUamvK"
    "yS-gs19q_sCkEJqx4UORIvB4PFz50XycwKmk9UBtJxMQnfBbGo-iMm2fDiwrACAkYJ3TDao9nYV1ktJFIQg_W3Q7TSaIdoyCjxpw"
    "Y3TdHvL5sFubLIhpZ3cZ6fszt4x1E4276r8uRc6bhRXgNotoXjh0rRtStxRtPt9FGmamD8UmWFB4VX4mrgP_edDn6XI1Ab7ev3Qi"
    "uUmgQacrFPROMY9JuJjsQSqQCCA2YzWz8ePIuMFYEisf6KlDmvZb3KWyBpPxedukjCsJs2ezHFIRgpo5UJBl2fib9mCuAmO-0FNy"
    "SrAr8_QMpjHefFK-zCsktgMX561WTlJRS1Qcm0yST0c0RsgNaG7xvsen-IGjIDDu3kVLthS1lhdgT6ePZaE_3ZkoVz2nkistZpHX"
    "gwW9cZy0L0Ts_JqUG165DTjcyOZPX-wTOWqt_9yRNNp_o53lm6To-TNQVJe0xQCZUCOoNzoBw1KYeRl4QawOuimeaS2B4WUW56D9"
    "WWivetZtqXTCvjyNcJPu5VUej1qMFVYec8jMBPwHtcY="
)
FINGERPRINT = "D3zDuuD+zFxWME4QNsF4Rw=="
