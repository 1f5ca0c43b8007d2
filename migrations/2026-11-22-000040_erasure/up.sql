-- Since when nothing is known of the person behind an account any more.
ALTER TABLE account ADD COLUMN erased_at DATETIME(6) NULL;

-- Requests whose kept answers tell something of the person, so that an erasure finds them.
CREATE TABLE member_request (
  merchant_id INT UNSIGNED NOT NULL,
  member_id   BINARY(16) NOT NULL,
  request_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (merchant_id, member_id, request_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO member_request (merchant_id, member_id, request_id)
SELECT merchant_id, UNHEX(REPLACE(JSON_UNQUOTE(JSON_EXTRACT(answer, '$.member.member_id')), '-', '')), request_id
FROM request WHERE JSON_EXTRACT(answer, '$.member.member_id') IS NOT NULL;
