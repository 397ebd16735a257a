from mmdet_lite.cli.download_dataset import main

if __name__ == "__main__":
    raise SystemExit(main())
