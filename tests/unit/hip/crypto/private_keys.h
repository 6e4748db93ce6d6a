/* SPDX-License-Identifier: MIT */
/** Private keys for tests, made with `openssl genpkey`. They guard nothing. */
#ifndef HIPHOP_TESTS_UNIT_HIP_CRYPTO_PRIVATE_KEYS_H
#define HIPHOP_TESTS_UNIT_HIP_CRYPTO_PRIVATE_KEYS_H

/* clang-format off */
static const char key_rsa_2048[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCdNhEwCWPWwp2p\n"
	"fYS85ACMJxktVZsLqElCVVNnOq1nW3nPbJZFzqDe1nHNwtmOv6sirI6t55ylFz8t\n"
	"ZyAjRCa2L+cLoqGzDqkd/wKOnf3VXKInJi6bwxor0bUIBdHpe3WzdbxYS1xCrYOr\n"
	"iwcJz3JtIw0pEsVNze5fcgWm9vlN9VAAuYWB1yGBzwtLc5cEgL7eUsOS8XC5Hujs\n"
	"dwEMMr7wgOpBejj5w/S7DiUbLPZB7Y469++z+Ka0cbIXggjyms1DEoKLhEtB5RIA\n"
	"zYIF7rcAK0iwzlp2Eb478/5vtApjtOrZPdPJ+VmP10Tp5CznrXEaA+PTQwhl1d2K\n"
	"mGTQHTWBAgMBAAECggEAO9kaX/QjKt250Y00HAicYL59qjF9rclp4jPDZXgEDWXY\n"
	"kGthJcAMo+h1OISl997lknSoeHHEw2B/L5Sjumk2Z4MC7P4DmrvJC99JpOtmd3Ql\n"
	"UswJUEjMzMOvrBczGzRh0WjPw7kkrUmK56IsksKDaCLA3tMDg6QSzAkHN9GrhM52\n"
	"JkEFX0mBkkLBASCcPsQz1x2JwPXJ/9X5UD+K+QRbEfAj+c3G22wvNiAVN8XZk5/5\n"
	"A2aYDiVsw81BxgIye0fsBwVoTSW7aHuvgDTR8L08UfeqiDhPNRGdDk28ZFH1zh8K\n"
	"d9e8bCpDXk0fGP7HO4APYnfmmRcFTITdJT/KF0yQ1QKBgQDdMXI4a0Zvp4wGyH8e\n"
	"l2+JY+2XWmUZuJ7wZ8my+SEDN3cq3GMRtfc+p3GUhpgG1An6fJDvciCJDncbkD61\n"
	"/IYmTxWwZ0gXbgoxwtHxNeLVX2nRlMc1HcXkHYXL//bCVlAuZrhljVa/JkBRpn/K\n"
	"0nqxcK3BQ3Jtt9k9X4MiWMlA3wKBgQC18ytlLXqn3F9IpTW8g4N36hTh3XTSfGFh\n"
	"o6VcWhoymlsRACqckNabRZmOBuNLX2J3r8D21H+wIY+xp9I7ucCkitbfZJoF0Ll0\n"
	"zQ7NrL87STBmvpVOhKVYureDtnbhQekYmhsVZhJxHd6EItshbQIfkKKuTjXa6FQs\n"
	"5VR0Boh1nwKBgQC3cjfJpOag2XMfeQ88ftnJN3AoE5c/ssdWmK1GWqnPciPKD0e2\n"
	"u5SXiOWBCfNxzk+MR90oSR3ErZOI76Oi6REVGofhanb2v5OC25GknE1JKz2mzN4+\n"
	"JjgmTXnWy62KVW1gXl7WEld8Zqv3S8A2pUOOf+YLH/X6Gvz3kow+YyZePwKBgQCI\n"
	"lR3COb2VPIwaUEpiVKbf4UwDsOX9C3lefiWnicuYqN4riOBz3xX6QOjgALOm5NdZ\n"
	"2QkVQLcJVGg1iDD8vJer7L0XvMESFHjjAPtX0ZFLw8kdl3slEdW9IYyYxuO+fGeq\n"
	"HCSwj4rQdweOUUwFb3rkjwJPrk4nIbfua8hVwIG3KQKBgHBxkoF/M2p4PGmWDXt7\n"
	"ELlulyWI5Sw5yZRX/oqkxuQhfY+2/NoUxnzRj8zfXSqRxnQEgwmZkwNsW4z/mEER\n"
	"ybYX9UCWXQuf3kP5cuBjwmqzlct+XcdZDpctcPuuqU1U9pg/Ozxlg9uihenZ0r7W\n"
	"b4tPwF+MWMmNBCnuahs++al0\n"
	"-----END PRIVATE KEY-----\n";
static const char key_ecdsa_p384[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCSUDTKD8JuQ2HdFGK7\n"
	"OvMoLzTqcBVVzTShTrSIs8HCFSRsfqzT+sFrI6+x1FKe4/mhZANiAAR7AFfbhfTV\n"
	"zxCotV5OnI0sKaRyt2QH4srvaKHAxB/MrAzbAfV6iIG+s6Ll61wydCBCN0s/A+XF\n"
	"bXcYF/GAfPfEafaQQi1JfRez6WEZOhH2rz39gorkXaPKFZVrPL1NE4g=\n"
	"-----END PRIVATE KEY-----\n";
static const char key_ecdsa_low[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MGECAQAwEAYHKoZIzj0CAQYFK4EEAAgESjBIAgEBBBUAwVZvqAJzF9vcMkfDSkmB\n"
	"iz1Q/YKhLAMqAAS1v/DcCVp6huRtKClfyLxz0S5DvxUWoDn0KZ6uukTkc8T6nm2O\n"
	"VesI\n"
	"-----END PRIVATE KEY-----\n";
static const char key_ecdsa_p521[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIBkamFmZOG6ytobP2M\n"
	"GOwmPOtd/eMybF0ndcqJRlEICW2wp9QAgHSp5Go9ZF3/LLsRvL09FjFtp8SUV9MO\n"
	"NUxEXDihgYkDgYYABAECushKI6n6xmQS3zHr9YvTs3sBGFfTxi7TdfwWtumvWo4d\n"
	"Buap0JcXozrW4mHX4hdmS0YdNLYBfFarqdtvcm5J7gAryJd06HgwGFXZlaKDByno\n"
	"BE3Lng41BKP0vUc8UxXU3nx5mttGT1Mu7aIzcvYjoxyVfzA+slL2PHLVGkumOqcU\n"
	"1g==\n"
	"-----END PRIVATE KEY-----\n";
static const char key_rsa_1024[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAKpQu8krFEZOJK2n\n"
	"y0Z+BLmlDNoiE0Et3Vt4lyMHvrTviN8wsRTco23pNY8Dz5pe9QIS08XLFVLn3ert\n"
	"jsIT0Qf/NQKvdya0VCDKgwz2Ee6zOdnAtC+vyEqdqclaJ8uMxZmloPoK8yGjI8kg\n"
	"fevJx1tQqQSOgaQeMMU8ARm4Gq+bAgMBAAECgYEApv3Vwd8NWAnSiLpW4104QNYG\n"
	"DfMPMf9IZSGN/vjfEgUzDLNvTWcwjtn0e69e5JtqW4geQHdpBwr1Wh1mtgA8GKJ4\n"
	"uk/MMcKa23LiR4EHVWbuO6eciCYbyDS6QAUFDwANJ7c/Ma517nDi028aF9b9bpDe\n"
	"S0xCeCCD+JzFDMc+IDECQQDhvWwAkwZMaXIkrF0Dqyrxga0hiOX4EM/awTvpSkhc\n"
	"beOaE1IRJJMKEYLkZrtECfLfoPKpMKMI0ogAHP1QvfLVAkEAwSVXTffC3ihYbayT\n"
	"VDpLUjfnsTcxY5+98coi2XiloSrMDwwwutqsLe4jhNrqsAc/gmPd/67dQ5DEWa0k\n"
	"cTLwrwJAbRtc5DorxSsCHG+i1W8Z5njC8X51iJy3mgfjqTJaHzKN256S/+4pk6g7\n"
	"F6H/yTb1yNjF8LitVEpNqaBZX3kvsQJBAIMtNzQu11xGjng+QvlrdghrC6KiV5rP\n"
	"vRNgM3b7p5HkHR8DKn1dUp8HI3xxqf7PjWSjKv0h6AihY5l8LEntTOUCQQDMYced\n"
	"SEouJ2/y5nmZDyjliulQ1C0AbvXg01t2JwKMDxRdgmv+tkFNuioLZlwoTi6IhYxE\n"
	"CFpEFZV63rh0P+zn\n"
	"-----END PRIVATE KEY-----\n";
static const char key_ed25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIDQCoN3m7gspYOe1sTcAR5xCOP7GTg5bLxEMhF0baBog\n"
	"-----END PRIVATE KEY-----\n";
static const char key_encrypted[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIHLMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgLtvtn6sqp2AICCAAw\n"
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEELhkbYan475nfhTgP1X5YRMEcBTz\n"
	"IHlVBMw5m31jgwRKG5q7n7IxlRHPdjMaJE5XDTG1h0BPLw8Z9VyoHCfuRcIgNx87\n"
	"ktqIAp9noVoVO6zDByyXlrzL5O6FKjsNyULj+oG4x7XTiw8aipUF6kVK5/I7uM9h\n"
	"Oz1edU7b9IQzogUTW9E=\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";
static const char key_mismatched[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MHcCAQEEIA2SQrkQcWPzw3Yr9xHMFC2xsGnJURPfH17wGA5D6Xm1oAoGCCqGSM49\n"
	"AwEHoUQDQgAEmE1o3VowW1sK22V2sjS944ljnzYL9FAH/n55Zl2o2gtJNh8SwvNL\n"
	"ErAN8q20R12J4P0EJzBsas5+1EiSLziVuA==\n"
	"-----END PRIVATE KEY-----\n";
/* clang-format on */

#endif
